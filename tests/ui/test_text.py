"""Figures carry their units, and people's words stay words."""

import pytest

from peft_demo.ui import text

from .fake import EVIL


def test_markup_in_names_is_shown_letter_by_letter():
    """No Markdown reader makes a tag, image, link or emphasis of `plain(words)`, and no letter is
    lost.
    """
    reader = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    words = EVIL + " **b** `c` [l](http://x.example) <b>d</b> | e & f_g_ http://auto.example"
    html = reader.render(text.plain(words))
    assert not any(tag in html for tag in ("<img", "<a ", "<b>", "<strong", "<em", "<code"))
    shown = html.replace("<p>", "").replace("</p>", "").strip()
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        shown = shown.replace(entity, letter)
    assert shown == words


def test_words_cannot_leave_their_table_cell():
    assert text.table([("Classes", "a | b\n| c")]).count("\n") == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (text.percent(0.942), "94.2 %"),
        (text.percent(None), "not measured"),
        (text.percent(0.0), "0.0 %"),
        (text.size(151_000), "151 kB"),
        (text.size(12), "12 B"),
        (text.seconds(75), "1 min 15 s"),
        (text.seconds(4000), "1 h 6 min"),
        (text.milliseconds(0.0213), "0.02 ms"),
        (text.share(0.0131), "1.3 %"),
        (text.share(0.00042), "0.042 %"),
        (text.share(0.999), "100 %"),
        (text.share(1.24), "124 %"),
        (text.share(3e70), "3e+72 %"),
        (text.share(None), "–"),
        (text.plural(1, "image"), "1 image"),
        (text.plural(2, "class"), "2 classes"),
        (text.sentence("no such thing"), "No such thing."),
        (text.sentence("photo.png is not a picture"), "photo.png is not a picture."),
        (text.sentence(""), ""),
    ],
)
def test_figures_carry_their_unit(said, expected):
    assert said == expected
