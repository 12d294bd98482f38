"""What a run would be trained on and what it would cost, in a line each, while the form is filled
in.
"""

from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import Cost
from ...contracts.errors import PeftDemoError
from ...contracts.service import Data, Training
from ...contracts.specs import DataSpec
from .. import text
from ..data.form import Checked
from ..toasts import speaking
from ..wiring import Updates, Values
from .form import RunForm

ASSUMED_CLASSES = 10
"""Where nobody has counted them."""
NAMES = {"draft": "your own classes", "upload": "your zip"}


@dataclass(frozen=True)
class Estimate:
    """The lines about the run that the form describes."""

    data: gr.Markdown
    cost: gr.Markdown
    command: gr.Code

    @property
    def parts(self) -> list[gr.Markdown | gr.Code]:
        return [self.data, self.cost, self.command]


def estimator(form: RunForm, lines: Estimate, training: Training, data: Data):
    """The handler that writes the lines; where the form describes no run, the
    first one says why.
    """

    @speaking
    def estimate(values: Values) -> Updates:
        try:
            run = form.spec(values)
            classes = class_count(data, run.data, values[form.data.checked])
            cost = training.cost(run, classes or ASSUMED_CLASSES)
            return {
                lines.data: data_line(data, run.data, classes),
                lines.cost: cost_line(cost, classes),
                lines.command: run.command(),
            }
        except PeftDemoError as error:
            reason = text.plain(text.sentence(str(error)))
            return {lines.data: reason, lines.cost: "", lines.command: ""}

    return estimate


def class_count(data: Data, spec: DataSpec, checked: Checked | None) -> int:
    """How many classes the dataset has as far as anybody knows; 0 if it has not been looked at."""
    if spec.source == "bundled":
        return sum(len(card.classes) for card in data.datasets() if card.name == spec.name)
    if spec.source == "draft":
        return len(data.drafts.classes(spec.name))
    if checked and (checked.source, checked.name) == (spec.source, spec.name):
        return checked.classes
    return 0


def data_line(data: Data, spec: DataSpec, classes: int) -> str:
    """Markdown: what will be trained on, and where to change it."""
    name = NAMES.get(spec.source, spec.name)
    if spec.source == "bundled":
        titles = {card.name: card.title for card in data.datasets()}
        name = titles.get(spec.name, name)
    counted = "classes not counted yet (press Check in Data)"
    if classes:
        counted = text.plural(classes, "class")
    shots = text.plural(spec.shots, "shot")
    return f"**{text.plain(name)}** · {counted} · {shots} per class · seed {spec.seed}"


def cost_line(cost: Cost, classes: int) -> str:
    """Markdown: what the run would train, store and do."""
    about = "about " if cost.budget else ""
    assumed = "" if classes else f" (assuming {ASSUMED_CLASSES} classes)"
    return (
        f"**{about}{text.count(cost.trainable)}** trainable parameters, "
        f"{text.share(cost.share)} of the backbone, and {text.count(cost.head)} in the head. "
        f"File {text.size(cost.file_bytes)}, {text.plural(cost.steps, 'step')}{assumed}."
    )
