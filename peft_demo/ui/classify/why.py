"""Why? What in the picture the answer of each chosen adapter rests on, side by side."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ...contracts.explanation import Explanation
from ...contracts.service import Answers
from .. import stat_tiles
from ..data_url import data_url
from ..toasts import reporter, speaking_often
from ..wiring import BESIDE
from .answers import MOST
from .tab import Question, nothing_to_ask

PROGRESS = gr.Progress()
WAIT = '<p class="reasons-wait">Covering one place of the picture after the other …</p>'
CAPTION = "Log-odds that the answer loses when a place is covered"


def build() -> gr.HTML:
    """Draws the place for the pictures, hidden until somebody asks."""
    return gr.HTML("", visible=False, padding=False, elem_id="why")


def connect(
    button: gr.Button, question: Question, reasons: gr.HTML, answers: Answers
) -> dict[str, Any]:
    """Connects the button to the pictures; the event, so that it can be cancelled."""
    return button.click(
        _explain(answers),
        [question.image, question.adapter, question.compare],
        reasons,
        **{**BESIDE, "show_progress": "full"},
    )


def _explain(answers: Answers):
    @speaking_often
    def explain(
        image: str | None,
        adapter: str | None,
        compare: list[str] | None,
        progress: gr.Progress = PROGRESS,
    ) -> Iterator[gr.HTML]:
        ids = [id for id in [adapter, *(compare or [])] if id]
        if not image or not ids:
            raise nothing_to_ask()
        yield gr.HTML(WAIT, visible=True)
        found: list[Explanation] = []
        for id in dict.fromkeys(ids[:MOST]):
            found.append(answers.explain(Path(image), id, reporter(progress)))
            yield gr.HTML(draw(found))

    return explain


def draw(found: Sequence[Explanation]) -> str:
    """HTML: a picture for each adapter with its sentence, and the numbers behind it."""
    return f'<div class="reasons">{"".join(map(_figure, found))}</div>'


def _figure(one: Explanation) -> str:
    source = data_url(one.picture, "png")
    words = escape(one.words)
    return (
        f"<figure><h3>{escape(one.adapter)}</h3>"
        f'<img src="{source}" alt="What {escape(one.label)} rests on: {words}">'
        f"<figcaption>{words}</figcaption>"
        f"<details><summary>Numbers</summary>{_table(one)}</details></figure>"
    )


def _table(one: Explanation) -> str:
    """The places as a table, rows from the top, columns from the left."""
    head = ["", *range(1, len(one.drops[0]) + 1)]
    lost = ([f"{drop:.1f}" for drop in row] for row in one.drops)
    rows = [[number, *row] for number, row in enumerate(lost, start=1)]
    return stat_tiles.table([str(cell) for cell in head], rows, CAPTION)
