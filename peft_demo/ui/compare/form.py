"""The form that describes a comparison: methods × datasets × shots × seeds, and a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ...contracts.cards import DatasetCard, MethodCard
from ...contracts.comparison import ComparisonSpec
from ...contracts.errors import BadValue
from ...contracts.knobs import build as build_config
from ...contracts.knobs import knobs
from ...contracts.specs import DataSpec, Recipe
from .. import forms
from ..data.form import DataForm
from ..train.method_list import choices, in_families
from ..wiring import Values

SEED_METHODS = (
    "arc",
    "arc_att",
    "rlrr",
    "hta",
    "hta_adapter",
    "aoft_lora",
    "aoft_adapter",
    "spt_lora",
    "spt_adapter",
    "bi_lora",
    "bi_adaptformer",
)
"""Of the papers that this project began with: ARC, RLRR, HTA, AOFT, SPT and 1-bit adapters."""
FIRST = ("linear", "lora", "arc", "rlrr")
"""Chosen on a fresh page."""
GROUPS = {"the project's own": SEED_METHODS}
EVERY = "all methods"
OWN_DATA = "own"
"""The choice of the dataset that the tab Data describes."""
SHOTS = (1, 2, 4, 8, 16, 32)
OPEN_RECIPE = 1
"""Knobs of the recipe that stand in the open."""


@dataclass(frozen=True)
class CompareForm:
    methods: gr.Dropdown
    groups: gr.Dropdown
    data: gr.CheckboxGroup
    shots: gr.CheckboxGroup
    seeds: gr.Slider
    workers: gr.Slider
    size: gr.Number
    backbone: gr.Dropdown
    recipe: forms.Form
    own_data: DataForm

    @property
    def widgets(self) -> list:
        """Everything of this form that `spec` reads."""
        own = [self.methods, self.data, self.shots, self.seeds, self.workers, self.size]
        return [*own, self.backbone, *self.recipe.widgets]

    @property
    def inputs(self) -> set[Component]:
        return {*self.widgets, *self.own_data.inputs}

    def spec(self, values: Values) -> ComparisonSpec:
        """The comparison that the page describes; `BadValue` says what is wrong."""
        return ComparisonSpec(
            methods=tuple(word.strip() for word in values[self.methods] or ()),
            data=tuple(self._dataset(name, values) for name in values[self.data] or ()),
            shots=tuple(sorted(values[self.shots] or ())),
            seeds=tuple(range(_whole(values[self.seeds]))),
            backbone=values[self.backbone] or "",
            size=_whole(values[self.size] or 0),
            recipe=build_config(Recipe, self.recipe.values(values)),
            workers=_whole(values[self.workers]),
        )

    def _dataset(self, name: str, values: Values) -> DataSpec:
        if name == OWN_DATA:
            return self.own_data.spec(values)
        return DataSpec("bundled", name)


def _whole(value: float | None) -> int:
    if value is None or value != int(value):
        raise BadValue("seeds, workers and the image size are whole numbers.")
    return int(value)


class FormBuilder:
    """Draws the form in two places: what a person chooses in the open, the rest under Advanced."""

    def __init__(self, methods: Sequence[MethodCard], datasets: Sequence[DatasetCard]):
        self._methods = methods
        self._datasets = datasets
        self._open_knobs, self._advanced_knobs = forms.split(knobs(Recipe), OPEN_RECIPE)

    def draw_open(self) -> None:
        names = [card.name for card in self._methods]
        self._groups = gr.Dropdown(
            [*GROUPS, *in_families(self._methods), EVERY],
            value=None,
            label="Add a group",
            info="of methods, to those below",
            elem_id="compare-groups",
        )
        self._chosen = gr.Dropdown(
            choices(self._methods),
            value=[name for name in FIRST if name in names],
            multiselect=True,
            allow_custom_value=True,
            label="Methods",
            info="one with its knobs is typed: lora:rank=4",
            elem_id="compare-methods",
        )
        bundled = [(card.title, card.name) for card in self._datasets]
        self._data = gr.CheckboxGroup(
            [*bundled, ("the one under Data", OWN_DATA)],
            value=[self._datasets[0].name] if self._datasets else [],
            label="Datasets",
            elem_id="compare-data",
        )
        self._shots = gr.CheckboxGroup(
            [(str(count), count) for count in SHOTS],
            value=[DataSpec.shots],
            label="Shots",
            info="training images per class",
            elem_id="compare-shots",
        )
        with gr.Row():
            self._seeds = gr.Slider(
                1, 10, 3, step=1, label="Seeds", info="other images each", min_width=140
            )
            self._recipe = forms.draw(self._open_knobs)

    def draw_advanced(self, workers: int) -> None:
        self._workers = gr.Slider(
            1,
            max(2, workers),
            1,
            step=1,
            label="Runs at a time",
            info="each in a process of its own, with its share of the processor's threads",
        )
        self._size = gr.Number(0, label="Image size", info="0 is the backbone's own", precision=0)
        self._recipe = forms.joined(self._recipe, forms.draw_folded(self._advanced_knobs))

    def form(self, backbone: gr.Dropdown, own_data: DataForm) -> CompareForm:
        """The form, after both parts have been drawn."""
        return CompareForm(
            self._chosen,
            self._groups,
            self._data,
            self._shots,
            self._seeds,
            self._workers,
            self._size,
            backbone,
            self._recipe,
            own_data,
        )


def add_group(methods: Sequence[MethodCard], group: str | None, chosen: Sequence[str]) -> list[str]:
    """The chosen methods and those of a group, none twice."""
    families = {name: [card.name for card in cards] for name, cards in in_families(methods).items()}
    known = [card.name for card in methods]
    groups = {**GROUPS, **families, EVERY: known}
    added = [name for name in groups.get(group or "", ()) if name in known]
    return list(dict.fromkeys([*chosen, *added]))
