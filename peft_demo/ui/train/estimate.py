"""What a run would be trained on and what it would cost, in a line each, while the form is filled
in.
"""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ...contracts.cards import Cost
from ...contracts.errors import PeftDemoError
from ...contracts.service import Data, Training
from ...contracts.specs import DataSpec, RunSpec
from .. import text
from ..data.form import Checked
from ..toasts import speaking
from ..wiring import Updates, Values
from .buttons import Buttons
from .form import RunForm
from .memory import Memory
from .method_list import ASSUMED_CLASSES

NAMES = {"draft": "your own classes", "upload": "your zip"}


@dataclass(frozen=True)
class Estimate:
    """The lines about the run that the form describes."""

    data: gr.Markdown
    cost: gr.Markdown
    command: gr.Code
    reason: gr.Markdown
    """Beside Start: why it cannot be pressed."""

    marked: gr.State
    """Ids of the fields that are marked as wrong."""

    @property
    def parts(self) -> list[Component]:
        return [self.data, self.cost, self.command, self.reason, self.marked]

    def mark(self, form: RunForm, values: Values) -> Updates:
        """Updates that say at each wrong field what is wrong, and restore those that are right
        again.
        """
        wrong = form.wrong(values)
        updates: Updates = {self.marked: tuple(widget._id for widget in wrong)}
        for widget in form.typed:
            if widget in wrong:
                updates[widget] = gr.Number(info=wrong[widget], elem_classes="wrong")
            elif widget._id in (values.get(self.marked) or ()):
                info = getattr(widget, "info", None)
                updates[widget] = gr.Number(info=info, elem_classes=[])
        return updates


def estimator(
    form: RunForm, lines: Estimate, buttons: Buttons, memory: Memory, training: Training, data: Data
):
    """The handler that writes the lines and the reason why Start is closed, and remembers the form.

    Its outputs are the lines, that reason, and the browser's memory.
    """

    @speaking
    def estimate(values: Values) -> Updates:
        updates: Updates = {lines.data: "", lines.cost: "", lines.command: ""}
        try:
            run = form.spec(values)
            checked = check_of(run.data, values[form.data.checked])
            classes = class_count(data, run.data, checked)
            images = checked.images if checked else 0
            cost = training.cost(run, classes or ASSUMED_CLASSES, images)
            updates[lines.data] = data_line(data, run.data, classes, images)
            updates[lines.cost] = cost_line(cost, classes) + search_line(run) + origin_line(run)
            updates[lines.command] = run.command()
            problem = checked.problem if checked else ""
        except PeftDemoError as error:
            problem = str(error)
        reason = text.sentence(problem)
        updates[lines.reason] = gr.Markdown(text.plain(reason), visible=bool(reason))
        updates[buttons.blocked] = reason
        updates[memory.state] = memory.keep(values)
        return {**updates, **lines.mark(form, values)}

    return estimate


def check_of(spec: DataSpec, checked: Checked | None) -> Checked | None:
    """What the last check found, if it was of this dataset."""
    if checked and (checked.source, checked.name) == (spec.source, spec.name):
        return checked
    return None


def class_count(data: Data, spec: DataSpec, checked: Checked | None) -> int:
    """How many classes the dataset has as far as anybody knows; 0 if it has not been looked at."""
    if spec.source == "bundled":
        return sum(len(card.classes) for card in data.datasets() if card.name == spec.name)
    if spec.source == "draft":
        return len(data.drafts.classes(spec.name))
    return checked.classes if checked else 0


def data_line(data: Data, spec: DataSpec, classes: int, images: int) -> str:
    """Markdown: what will be trained on. `classes` and `images` are 0 where nobody has counted
    them.
    """
    name = NAMES.get(spec.source, spec.name)
    if spec.source == "bundled":
        titles = {card.name: card.title for card in data.datasets()}
        name = titles.get(spec.name, name)
    counted = "classes not counted yet (press Check in Data)"
    if classes:
        counted = text.plural(classes, "class")
    shots = f"up to {text.plural(spec.shots, 'shot')} per class"
    if images:
        shots += f", {text.plural(images, 'image')} to train on"
    return f"**{text.plain(name)}** · {counted} · {shots} · seed {spec.seed}"


def search_line(run: RunSpec) -> str:
    """Markdown, to follow the cost: what a search does first; "" without one."""
    if not run.tune:
        return ""
    return f" That is {run.tune} trials; the best on validation images is kept."


def origin_line(run: RunSpec) -> str:
    """Markdown, to follow the cost: which fields of the form are not used; "" if all are."""
    if not run.origin:
        return ""
    name = text.plain(run.origin.name)
    return f" It goes on from **{name}**, with that one's method, knobs, backbone and image size."


def cost_line(cost: Cost, classes: int) -> str:
    """Markdown: what the run would train, store and do."""
    about = "about " if cost.budget else ""
    assumed = "" if classes else f" (assuming {ASSUMED_CLASSES} classes)"
    return (
        f"**{about}{text.count(cost.trainable)}** trainable parameters, "
        f"{text.share(cost.share)} of the backbone, and {text.count(cost.head)} in the head. "
        f"File {text.size(cost.file_bytes)}, {text.plural(cost.steps, 'step')}{assumed}."
        f"{duration_line(cost)}"
    )


def duration_line(cost: Cost) -> str:
    """Markdown, to follow the cost: how long it would take, "" where nobody has measured it."""
    if cost.seconds is None:
        return ""
    return f" **About {text.seconds(cost.seconds)}**, going by earlier runs like it."
