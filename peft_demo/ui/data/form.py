"""The form that describes a dataset: a source, how many images a class, and a seed."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from ...contracts.errors import BadValue
from ...contracts.service import Data
from ...contracts.specs import DataSpec
from ..wiring import Updates, Values
from .reading import ReadingForm
from .sources import TITLES, Sources


@dataclass(frozen=True)
class DataForm:
    sources: Sources
    shots: gr.Slider
    seed: gr.Number
    reading: ReadingForm
    checked: gr.State
    """A `Checked` about the dataset that was looked at last, None before."""

    @property
    def inputs(self) -> set[Component]:
        """Everything that `spec` and `ready` read."""
        names = {panel.name for panel in self.sources.panels.values()}
        return {
            *names,
            *self.reading.inputs,
            self.sources.choice,
            self.sources.cards.content,
            self.shots,
            self.seed,
            self.checked,
        }

    def spec(self, values: Values) -> DataSpec:
        """The dataset that the form describes; `BadValue` if it describes none."""
        source = values[self.sources.choice]
        panel = self.sources.panels[source]
        name = values[panel.name]
        if not name:
            raise BadValue(f"no data has been chosen under {TITLES[source]}.", panel.missing)
        name = name.strip()
        shots = _whole(values[self.shots])
        seed = _whole(values[self.seed])
        return DataSpec(source, name, shots, seed, **self.reading.choices(values, (source, name)))

    def cheap(self, values: Values) -> bool:
        """Whether there is something to check that takes no time."""
        source = values[self.sources.choice]
        if source == "draft":
            return bool(values[self.sources.cards.content])
        if source in ("bundled", "upload"):
            return bool(values[self.sources.panels[source].name])
        return False

    def refill(self, spec: DataSpec, data: Data) -> Updates:
        """Updates that show an earlier run's data; of uploads and photos only shots and seed come
        back.
        """
        updates: Updates = {self.shots: spec.shots, self.seed: spec.seed}
        if spec.source == "bundled" and spec.name in {card.name for card in data.datasets()}:
            updates[self.sources.choice] = "bundled"
            updates[self.sources.bundled] = spec.name
        return updates

    @property
    def refilled(self) -> list[Component]:
        """Everything that `refill` may change."""
        return [self.shots, self.seed, self.sources.choice, self.sources.bundled]


@dataclass(frozen=True)
class Checked:
    """What the last check found, as far as other tabs need it."""

    source: str
    name: str
    classes: int
    images: int
    """To train on."""
    problem: str
    """Why it cannot be trained on; empty if it can."""


def _whole(value: Any) -> int:
    if value is None or value != int(value):
        raise BadValue("shots and seed are whole numbers.", "The defaults are 16 and 0.")
    return int(value)
