"""A picture of the report that is in the wrong class, or should not be there: press it, say so."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
from gradio.events import Dependency

from ...contracts.cards import DataReport
from ...contracts.corrections import corrections_text, parse_corrections
from ...contracts.errors import BadValue
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED, Updates
from .reading import Field
from .report import ReportView, previewed

Place = tuple[str, str]
"""(key, class) of a picture."""

HOW = "Press a picture that is in the wrong class, or that should not be there."


@dataclass(frozen=True)
class Correct:
    hint: gr.Markdown
    panel: gr.Row
    label: gr.Dropdown
    move: gr.Button
    leave_out: gr.Button
    undo: gr.Button
    """Forgets all corrections; shown while there are some."""
    keys: gr.State
    """A `Place` of each picture of the report, in the order in which they are shown."""
    chosen: gr.State
    """The `Place` of the picture that was pressed, None for none."""
    word: Field
    """The corrections so far; see `contracts.corrections`."""

    @property
    def parts(self) -> list:
        """Everything that `show` changes."""
        return [self.hint, self.label, self.undo, self.keys]

    def show(self, report: DataReport, corrections: str) -> Updates:
        """Updates that offer to correct the pictures of this report, made with `corrections`."""
        keys = [(key, name) for key, name, _ in previewed(report.counts)]
        return {
            self.hint: gr.Markdown(visible=bool(keys)),
            self.label: gr.Dropdown(list(report.classes)),
            self.undo: gr.Button(visible=bool(corrections)),
            self.keys: tuple(keys),
        }

    def hide(self) -> Updates:
        """Updates where there is no report."""
        return {
            self.hint: gr.Markdown(visible=False),
            self.undo: gr.Button(visible=False),
            self.keys: (),
        }


def build(word: Field) -> Correct:
    """Draws the choices into the open context, hidden until a picture is pressed."""
    hint = gr.Markdown(HOW, elem_classes="quiet", visible=False)
    with gr.Row(visible=False, equal_height=True, elem_id="correct") as panel:
        label = gr.Dropdown([], value=None, label="It is", min_width=140)
        move = gr.Button("Move it there", size="sm", min_width=100)
        leave_out = gr.Button("Leave it out", size="sm", min_width=100)
    undo = gr.Button("Undo all corrections", size="sm", visible=False, elem_id="undo-corrections")
    return Correct(hint, panel, label, move, leave_out, undo, gr.State(()), gr.State(None), word)


def connect(correct: Correct, view: ReportView) -> list[Dependency]:
    """Connects the report's pictures to the choices, and these to the corrections so far; the
    events after which the data is to be looked at again.
    """
    view.gallery.select(
        _press(correct), correct.keys, [correct.panel, correct.label, correct.chosen], **UNQUEUED
    )
    correct.keys.change(
        _stay_or_go, [correct.keys, correct.chosen], [correct.panel, correct.chosen], **UNQUEUED
    )
    inputs = [correct.word, correct.chosen]
    return [
        correct.move.click(speaking(move), [*inputs, correct.label], correct.word, **QUEUED),
        correct.leave_out.click(speaking(leave_out), inputs, correct.word, **QUEUED),
        correct.undo.click(_forget, None, correct.word, **QUEUED),
    ]


def _forget() -> str:
    return ""


def _press(correct: Correct):
    def press(keys: Sequence[Place], event: gr.SelectData) -> Updates:
        place = keys[event.index]
        return {
            correct.panel: gr.Row(visible=True),
            correct.label: place[1],
            correct.chosen: place,
        }

    return press


def _stay_or_go(keys: Sequence[Place], chosen: Place | None) -> tuple[gr.Row, Place | None]:
    """The choices stay while the picture is where it was: a report may come after the press."""
    stays = chosen in keys
    return gr.Row(visible=stays), chosen if stays else None


def move(word: str, chosen: Place, label: str | None) -> str:
    """The corrections, and that this picture belongs to the class."""
    if not label:
        raise BadValue("no class has been chosen.", "Choose the one that the picture belongs to.")
    return corrections_text({**parse_corrections(word), chosen[0]: label})


def leave_out(word: str, chosen: Place) -> str:
    """The corrections, and that this picture is left out."""
    return corrections_text({**parse_corrections(word), chosen[0]: ""})
