"""Several ticked adapters, measured as one."""

import gradio as gr

from peft_demo.contracts.paired import Paired
from peft_demo.contracts.together import ANSWERS, WEIGHTS, Combined, Together
from peft_demo.ui.adapters import team

GAIN = Paired(both=15, only_first=1, only_second=0, neither=4)


def test_two_at_least_are_needed(service, tab):
    part = tab.selection
    entries = service.zoo.entries()
    assert not part.show(["evil"], entries)[part.together].interactive
    assert part.show(["evil", "lora-digits-0"], entries)[part.together].interactive


def test_each_has_a_line_and_the_gain_is_said(service):
    with gr.Blocks(analytics_enabled=False):
        part = team.build()
    updates = team.measurer(part, service.answers)(["evil", "lora-digits-0"])
    assert updates[part.results].visible
    words = updates[part.sentence].replace("\\", "")
    assert "**Answers averaged**: +5.0 points beside evil alone" in words and "chance" in words
    assert "&lt;b&gt;" in words and "<b>" not in words
    html = updates[part.drawing]
    assert html.count('scope="row"') == 3 and "75.0 % (53 to 89)" in html
    assert not part.hide()[part.results].visible


def test_names_stay_text():
    result = Together(
        20,
        0,
        (("<img>", 0.75), ("b", 0.5)),
        (Combined(ANSWERS, 0.8, GAIN), Combined(WEIGHTS, 0.8, GAIN)),
    )
    assert "<img>" not in team.draw(result) and team.draw(result).count("<tr") == 5
    assert "<img>" not in team.sentence(result)
