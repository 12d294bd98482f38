"""Cards and table: all figures, the reason where one cannot be used, and every word as text."""

import re
from dataclasses import replace
from html import unescape

from peft_demo.contracts.cards import ZooEntry
from peft_demo.ui.adapters import listing, pictures
from peft_demo.ui.adapters.listing import CARDS, NOTHING_FITS, TABLE

from .fake import EVIL, card, picture
from .fake.zoo import FakeZoo

GOOD = ZooEntry("good", 57_100, False, card("good", test_accuracy=0.91, test_images=100))
BROKEN = ZooEntry("broken", 12, False, None, "the file is truncated. Copy it again.")
TITLES = {"lora": "LoRA"}


def drawn(view: str, *entries: ZooEntry, ticked=(), order: str = "name") -> str:
    return listing.draw(view, entries, ticked, TITLES, order)


def test_a_card_says_method_dataset_size_and_accuracy_with_its_interval():
    html = drawn(CARDS, GOOD)
    assert "LoRA · digits · 57.1 kB" in html
    assert "91 of 100 right, 84 to 95 %" in html
    assert re.search(r'class="interval".*left:83.8%', html)


def test_the_table_holds_the_same_figures():
    html = drawn(TABLE, GOOD)
    for cell in ("LoRA", "digits", "10", "91 of 100 right, 84 to 95 %", "57.1 kB", "2026-11-20"):
        assert f"<td>{cell}</td>" in html


def test_one_that_cannot_be_used_says_why_and_what_to_do():
    for view in (CARDS, TABLE):
        html = drawn(view, BROKEN)
        assert "Cannot be used: The file is truncated. Copy it again." in html


def test_every_one_can_be_opened_and_ticked():
    for view in (CARDS, TABLE):
        html = drawn(view, GOOD, BROKEN, ticked=["broken"])
        assert re.findall('data-open="(.*?)"', html) == ["good", "broken"]
        boxes = re.findall(r'data-tick="(.*?)" aria-label="(.*?)"( checked)?>', html)
        assert boxes == [("good", "Choose good", ""), ("broken", "Choose broken", " checked")]


def test_the_heads_of_columns_ask_for_an_order_and_say_which_it_is():
    html = drawn(TABLE, GOOD, order="size")
    assert re.findall('data-order="(.*?)"', html) == ["name", "accuracy", "size", "newest"]
    assert re.findall(r'aria-sort="other"><button type="button" data-order="(\w+)"', html) == [
        "size"
    ]


def test_words_from_files_stay_text():
    odd = ZooEntry(EVIL, 10, False, replace(GOOD.card, method=EVIL, created=EVIL), EVIL)
    for view in (CARDS, TABLE):
        assert "<img" not in drawn(view, odd) and unescape(drawn(view, odd)).count(EVIL) > 3


def test_nothing_that_fits_is_a_sentence():
    assert NOTHING_FITS in drawn(CARDS)


def test_the_pictures_of_one_set_are_sent_once(tmp_path, monkeypatch):
    zoo = FakeZoo(tmp_path)
    zoo.cards = {"one": card("one"), "two": card("two"), "none": card("none")}
    same = [picture("a"), picture("b")]
    monkeypatch.setattr(zoo, "thumbnails", lambda id: [] if id == "none" else list(same))
    sheet = pictures.sheet(zoo.entries(), zoo)
    assert sheet.count("base64,") == 2
    one, two, none = (
        re.search(r"p-[0-9a-f]{16}", pictures.place(e, "x"))[0] for e in zoo.entries()[:3]
    )
    assert one in sheet and two in sheet and none not in sheet


def test_initials_stand_where_there_are_no_pictures():
    assert pictures.initials("my hats") == "MH"
    assert pictures.initials("digits") == "DI"
    assert pictures.initials("–") == pictures.initials("") == "?"
    assert "<b>&lt;S</b>" not in pictures.place(GOOD, "<script>")
    assert "<b>SC</b>" in pictures.place(GOOD, "<script>")
