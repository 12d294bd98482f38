"""Help is drawn from the methods there are, and no word of theirs becomes markup."""

import re
from dataclasses import replace
from pathlib import Path

import gradio as gr

from peft_demo.ui import block_drawing, guide
from peft_demo.ui.guide import words

from .fake import EVIL, METHODS
from .fake.training import FakeTraining


def test_every_method_is_in_the_table_and_in_a_drawing():
    table = guide.methods_table(METHODS)
    drawings = block_drawing.sketches(METHODS)
    assert all(m.title in table and m.name in drawings for m in METHODS)


def test_a_method_colours_the_boxes_it_stands_at():
    assert block_drawing.highlighted(("q", "v")) == {"qkv", "head"}
    assert block_drawing.highlighted(("attn", "somewhere")) == {
        "norm1",
        "qkv",
        "softmax",
        "proj",
        "head",
    }
    assert (
        block_drawing.svg(block_drawing.highlighted(("q",))).count('fill="var(--color-accent)"')
        == 2
    )


def test_markup_in_a_card_stays_text():
    odd = replace(
        METHODS[1], name=EVIL, title=EVIL, summary=EVIL, paper=EVIL, url="javascript:alert(1)"
    )
    assert "<img" not in block_drawing.sketches([odd]) + guide.methods_table([odd])
    assert "javascript" not in guide.methods_table([odd])


def test_authors_are_sent_to_files_that_exist():
    named = re.findall(r"[\w/]+\.py", words.ADDING)
    assert len(named) == 3 and all((Path(__file__).parents[2] / name).is_file() for name in named)


def test_it_does_not_promise_that_nothing_is_ever_asked_for():
    """The Hub is asked for what one takes from it, and a Space is somebody else's machine."""
    limits = " ".join(words.LIMITS.split())
    assert "the Hub is asked for" in limits and "on a Space is Hugging Face's" in limits


def test_every_heading_is_in_the_table_of_contents_and_has_its_anchor():
    with gr.Blocks(analytics_enabled=False) as blocks:
        guide.build(FakeTraining(0))
    parts = list(blocks.blocks.values())
    texts = [part for part in parts if isinstance(part, gr.Markdown)]
    page = "".join(str(part.value) for part in parts if isinstance(part, gr.HTML))
    ids = {text.elem_id for text in texts}
    headings = guide.headings(str(text.value) for text in texts)
    assert len(headings) >= 9
    for heading in headings:
        assert f'href="#{guide.anchor(heading)}"' in page and guide.anchor(heading) in ids


def test_it_opens_on_three_drawn_steps():
    html = guide.steps.draw()
    assert html.count("<svg") == 3 and "3. It answers" in html
