"""What it changed: where an adapter moved its backbone, how far and at what rank. Computed when it
is opened, from the file and the backbone alone.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from ...contracts.changes import Changes
from ...contracts.errors import BadValue, PeftDemoError
from ...contracts.service import Zoo
from .. import text
from ..toasts import speaking
from ..wiring import QUEUED, Part, Updates
from . import change_grid, change_place

WAIT = "Comparing it with the frozen backbone …"
NOTHING = "Only its head was trained: the backbone is as it was."


class Compared(NamedTuple):
    id: str
    """Of the adapter: the answer about another one may come late."""
    result: Changes


@dataclass(frozen=True)
class Changed:
    fold: gr.Accordion
    compared: gr.State
    """The `Compared` that is shown, None before."""
    pressed: gr.State
    """Number of the place that is shown."""
    sentence: gr.Markdown
    figures: gr.Column
    by: gr.Radio
    grid: gr.HTML
    place: gr.HTML

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` and `hide` may change."""
        parts: list[Part] = [self.fold, self.compared, self.pressed, self.sentence, self.figures]
        return [*parts, self.by, self.grid, self.place]

    def show(self, id: str, result: Changes) -> Updates:
        """Updates that show it all, and the place that changed most."""
        updates: Updates = {self.compared: Compared(id, result), self.sentence: sentence(result)}
        most = result.largest
        if most is None:
            return {**updates, self.figures: gr.Column(visible=False)}
        by = change_grid.first(result)
        n = result.changes.index(most)
        return {
            **updates,
            self.pressed: n,
            self.figures: gr.Column(visible=True),
            self.by: by,
            self.grid: change_grid.draw(result, by, n),
            self.place: change_place.draw(most),
        }

    def refuse(self, reason: str) -> Updates:
        """Updates that say why there is nothing to show."""
        return {
            self.compared: None,
            self.sentence: text.plain(text.sentence(reason)),
            self.figures: gr.Column(visible=False),
        }

    def hide(self) -> Updates:
        """Updates that close it, for another adapter."""
        return {
            self.fold: gr.Accordion(open=False),
            self.compared: None,
            self.sentence: WAIT,
            self.figures: gr.Column(visible=False),
        }


def build() -> Changed:
    """Draws this part into the open context."""
    with gr.Accordion("What it changed", open=False, elem_id="changes") as fold:
        words = gr.Markdown(WAIT, elem_id="changes-sentence")
        with gr.Column(visible=False) as figures:
            by = gr.Radio(
                change_grid.CHOICES,
                value=change_grid.SIZE,
                label="Cells show",
                show_label=False,
                container=False,
            )
            grid = change_grid.build()
            place = gr.HTML("", padding=False, elem_id="change-place")
    return Changed(fold, gr.State(None), gr.State(0), words, figures, by, grid, place)


def connect(part: Changed, chosen: gr.State, zoo: Zoo) -> None:
    """Connects the events."""
    part.fold.expand(
        comparer(part, zoo),
        [chosen, part.compared],
        part.outputs,
        concurrency_id="changes",
        concurrency_limit=1,
        **QUEUED,
    )
    part.by.input(_redraw, [part.compared, part.by, part.pressed], part.grid, **QUEUED)
    part.grid.select(_show_place, part.compared, [part.place, part.pressed], **QUEUED)


def comparer(part: Changed, zoo: Zoo):
    """The handler that compares the chosen adapter with its backbone, unless that has been done."""

    @speaking
    def compare(id: str, known: Compared | None) -> Updates | Any:
        is_shown = known is not None and known.id == id
        if is_shown or not id:
            return gr.skip()
        try:
            return part.show(id, zoo.changes(id))
        except PeftDemoError as error:
            return part.refuse(str(error))

    return compare


@speaking
def _redraw(compared: Compared | None, by: str, pressed: int) -> str:
    return change_grid.draw(_opened(compared), by, pressed)


@speaking
def _show_place(compared: Compared | None, event: gr.SelectData) -> tuple[str, int]:
    result = _opened(compared)
    n = change_grid.number(result, event.value)
    if n is None:
        raise BadValue("there is no such cell.", "Close this part and open it again.")
    return change_place.draw(result.changes[n]), n


def _opened(compared: Compared | None) -> Changes:
    if compared is None:
        raise BadValue("nothing is compared.", "Close this part and open it again.")
    return compared.result


def sentence(result: Changes) -> str:
    """Markdown: how many numbers where, and what changed most."""
    most = result.largest
    if most is None:
        return NOTHING
    places = text.plural(len(result.changes), "place")
    words = [f"**{text.plural(result.trainable, 'trained number')} in {places}.**"]
    if result.shared:
        words.append(f"{text.count(result.shared)} of them are shared by several places.")
    if most.size:
        of_weight = most.weight is not None and most.weight.relative
        what = "‖ΔW‖ is {} of ‖W‖" if of_weight else "its bias moved by {} of its norm"
        name = text.plain(change_grid.name(most))
        words.append(f"{name} changed most: {what.format(text.share(most.size))}.")
    reasons = dict.fromkeys(change.why for change in result.changes if change.why)
    return " ".join([*words, *map(text.plain, reasons)])
