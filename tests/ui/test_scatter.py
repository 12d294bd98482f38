"""The drawing of accuracy against file size."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

from adapters_zoo import __path__ as zoo
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.cards import ZooEntry
from peft_demo.ui.adapters.scatter import draw, points
from peft_demo.ui.scatter import Point, frontier

SMALL = Point("bi-lora-digits-s0", "1-bit LoRA", 40_000, 0.95, 360)
LARGE = Point("lora-digits-s0", "LoRA", 300_000, 0.97, 360)
BEATEN = Point("hta-digits-s0", "HTA", 310_000, 0.96, 360)


def test_the_frontier_is_what_no_smaller_file_beats():
    assert frontier([LARGE, BEATEN, SMALL]) == [SMALL, LARGE]
    assert frontier([replace(SMALL, accuracy=0.9), SMALL]) == [SMALL]


def test_every_point_can_be_reached_and_says_what_it_is():
    svg = draw({"digits": [LARGE, BEATEN, SMALL]})
    labels = [unescape(words) for words in re.findall(r'role="button" aria-label="(.*?)"', svg)]
    assert "lora-digits-s0: 349 of 360 right, 95 to 98 %; 300 kB" in labels
    assert svg.count('tabindex="0"') == 3
    assert svg.count('class="point best"') == 2


def test_larger_files_stand_to_the_right_and_better_ones_higher():
    svg = draw({"digits": [SMALL, LARGE]})
    circles = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="6"', svg)
    (x_small, y_small), (x_large, y_large) = [(float(x), float(y)) for x, y in circles]
    assert x_large > x_small and y_large < y_small


def test_names_from_files_stay_text():
    odd = replace(SMALL, id="<b>", name="<b>")
    assert "<b>" not in draw({"<b>": [odd, LARGE], "x": [LARGE]})


def test_where_there_is_nothing_to_compare_nothing_is_drawn():
    assert draw({"digits": [SMALL]}) == draw({}) == ""


def test_each_dataset_has_a_line_of_its_own_and_its_name_at_its_points():
    svg = draw({"digits": [SMALL, LARGE], "shapes": [BEATEN]})
    assert svg.count("<polyline") == 2
    assert "LoRA · digits</text>" in svg and "HTA · shapes</text>" in svg
    assert "· digits" not in draw({"digits": [SMALL, LARGE]})


def test_words_never_stand_on_each_other():
    """Where there is no room the words are left out; the point still says what it is."""
    crowd = [replace(LARGE, id=str(n), accuracy=0.97 - n / 1000) for n in range(8)]
    svg = draw({"digits": crowd})
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)">LoRA', svg)
    assert 1 < len(places) < len(crowd) and len(set(places)) == len(places)
    assert svg.count('class="reach"') == len(crowd)


def test_adapters_without_a_measured_accuracy_are_left_out():
    path = Path(next(iter(zoo)), "lora-digits-s0.safetensors")
    card = AdapterFile.open(path).card
    entries = [
        ZooEntry("measured", 1000, True, card),
        ZooEntry("unmeasured", 1000, True, replace(card, test_accuracy=None)),
        ZooEntry("refused", 1000, True, card, "it is damaged."),
        ZooEntry("unreadable", 1000, True, None),
        ZooEntry("strange", 1000, True, replace(card, spec={"data": {"name": None}})),
    ]
    titles = {"lora": "LoRA"}
    ids = {name: [p.id for p in there] for name, there in points(entries, titles).items()}
    assert ids == {"digits": ["measured"], "–": ["strange"]}
    assert [point.name for point in points(entries, titles)["digits"]] == ["LoRA"]
