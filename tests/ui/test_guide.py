"""Help is drawn from the methods there are, and no word of theirs becomes markup."""

from dataclasses import replace

from peft_demo.ui import guide

from .fake import EVIL, METHODS


def test_every_method_is_in_the_table_and_in_a_drawing():
    table, drawings = guide.methods_table(METHODS), guide.sketches(METHODS)
    assert all(m.title in table and m.name in drawings for m in METHODS)


def test_a_method_colours_the_boxes_it_stands_at():
    assert guide.lit(("q", "v")) == {"qkv", "head"}
    assert guide.lit(("attn", "somewhere")) == {"norm1", "qkv", "softmax", "proj", "head"}
    assert guide.svg(guide.lit(("q",))).count('fill="var(--color-accent)"') == 2


def test_markup_in_a_card_stays_text():
    odd = replace(METHODS[1], name=EVIL, title=EVIL, summary=EVIL, paper=EVIL, url="javascript:alert(1)")
    assert "<img" not in guide.sketches([odd]) + guide.methods_table([odd])
    assert "javascript" not in guide.methods_table([odd])
