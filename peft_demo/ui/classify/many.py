"""Many pictures at once: what the chosen adapter says of each, as soon as it is known, and all of
it as a table to take away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ...contracts.answer import Answer, NamedPicture, as_csv
from ...contracts.errors import BadValue
from ...contracts.service import Answers, Data
from .. import thumbnails
from ..files import hand_out
from ..toasts import speaking_often
from ..wiring import Part, Updates
from . import many_table
from .answers import TOP
from .many_table import ORDERS

NO_ADAPTER = "choose an adapter first."
MOST = 2000
"""Pictures that are answered at once on a page."""
FIRST_SHOWN = 8
"""Answers after which they are drawn for the first time, then each time there are twice as many."""


@dataclass(frozen=True)
class Many:
    panel: gr.Column
    table: gr.HTML
    order: gr.Radio
    download: gr.DownloadButton
    close: gr.Button
    sent: gr.State
    """Files that somebody has sent to be answered together, () for none."""
    answers: gr.State
    """The `Answer`s, once there are all."""

    @property
    def parts(self) -> list[Part]:
        """Everything that the handlers change."""
        return [self.panel, self.table, self.download, self.sent, self.answers]

    def hide(self) -> Updates:
        """Updates that take the pictures away."""
        return {self.panel: gr.Column(visible=False), self.sent: (), self.answers: ()}


def build() -> Many:
    """Draws the panel into the open context, hidden until several pictures come."""
    with gr.Column(visible=False, elem_id="many") as panel:
        with gr.Row():
            order = gr.Radio(ORDERS, value=ORDERS[0], show_label=False, container=False, scale=3)
            download = gr.DownloadButton("Download CSV", size="sm", interactive=False)
            close = gr.Button("Close", size="sm")
        table = gr.HTML("", js_on_load=thumbnails.PRESSED, padding=False)
    return Many(panel, table, order, download, close, gr.State(()), gr.State(()))


class ManyAsker:
    """The handlers of the panel."""

    def __init__(self, many: Many, answers: Answers, data: Data):
        self._many = many
        self._answers = answers
        self._data = data
        self.ask = speaking_often(self._ask)

    def _ask(self, sent: Sequence[Path], adapter: str | None, order: str) -> Iterator[Updates]:
        """The answers of an adapter, drawn again and again as they come; nothing without files."""
        if sent:
            yield from self.answer(self._data.sent(sent), sent, adapter, order)

    def answer(
        self,
        pictures: Sequence[NamedPicture],
        sent: Sequence[Path],
        adapter: str | None,
        order: str,
    ) -> Iterator[Updates]:
        """The answers to the `pictures` in the files that were `sent`, as they come."""
        if not adapter:
            raise BadValue(NO_ADAPTER)
        if not pictures:
            raise BadValue("there is no picture among these files.")
        if len(pictures) > MOST:
            raise BadValue(
                f"{len(pictures):,} pictures are too many at once: a page takes {MOST:,}.",
                "Use `python -m peft_demo predict`, which has no such limit.",
            )
        yield {self._many.sent: tuple(sent)}
        yield from self._stream(pictures, adapter, order)

    def _stream(
        self, pictures: Sequence[NamedPicture], adapter: str, order: str
    ) -> Iterator[Updates]:
        many = self._many
        total = len(pictures)
        yield {many.panel: gr.Column(visible=True), many.table: many_table.draw((), total, order)}
        answers: list[Answer] = []
        next_shown = FIRST_SHOWN
        for answer in self._answers.each(pictures, adapter, TOP, thumbnails=True):
            answers.append(answer)
            if len(answers) == next_shown and len(answers) < total:
                next_shown *= 2
                yield {many.table: many_table.draw(answers, total, order)}
        file = hand_out(f"answers-{adapter}.csv", as_csv(answers).encode())
        yield {
            many.table: many_table.draw(answers, total, order),
            many.answers: tuple(answers),
            many.download: gr.DownloadButton(value=file, interactive=True),
        }

    def arrange(self, answers: Sequence[Answer], order: str) -> Any:
        """The same answers in another order."""
        return many_table.draw(answers, len(answers), order) if answers else gr.skip()
