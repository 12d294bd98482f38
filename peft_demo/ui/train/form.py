"""The form that describes a run: a method with its knobs, a recipe, and the
data of the tab Data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gradio as gr
from gradio.components import Component

from ...contracts.cards import MethodCard
from ...contracts.knobs import Knob, knobs
from ...contracts.knobs import build as build_config
from ...contracts.origin import Origin
from ...contracts.service import Data, Zoo
from ...contracts.specs import Recipe, RunSpec
from .. import forms, text
from ..data.form import DataForm
from ..wiring import Updates, Values
from . import go_on_from, method_list
from .method_list import RECOMMENDED, choices, first_method
from .own_values import OwnValues

OWN_RATE = "as found best for the method"
IN_THE_OPEN = 5
"""Most knobs that a person sees before opening Advanced, those of the recipe included."""
RECIPE_IN_THE_OPEN = 2


@dataclass(frozen=True)
class MethodForm:
    """The knobs of one method, in two columns that are shown while it is chosen."""

    in_the_open: gr.Column
    advanced: gr.Column
    form: forms.Form

    @property
    def columns(self) -> list[gr.Column]:
        return [self.in_the_open, self.advanced]


@dataclass(frozen=True)
class MethodChoice:
    method: gr.Dropdown
    summary: gr.Markdown
    shown: gr.State
    """The method whose knobs are shown."""


@dataclass(frozen=True)
class Extras:
    """What is neither the method's nor the recipe's."""

    size: gr.Number
    name: gr.Textbox
    thumbnail: gr.Checkbox
    tune: gr.Number
    """How many settings are tried first; 0: none."""
    origin: gr.Dropdown
    """The adapter to go on from, "" for none."""


@dataclass(frozen=True)
class RunForm:
    choice: MethodChoice
    methods: dict[str, MethodForm]
    recipe: forms.Form
    extras: Extras
    backbone: gr.Dropdown
    data: DataForm
    own: OwnValues

    @property
    def widgets(self) -> list[Component]:
        """Everything of this form, the data aside, that `spec` reads."""
        widgets: list[Component] = [self.choice.method, self.backbone]
        for method in self.methods.values():
            widgets += method.form.widgets
        extras = self.extras
        rest = [extras.tune, extras.origin, extras.size, extras.name, extras.thumbnail]
        return [*widgets, *self.recipe.widgets, *rest]

    @property
    def inputs(self) -> set[Component]:
        """Everything that `spec` reads."""
        return {*self.widgets, *self.data.inputs}

    def spec(self, values: Values) -> RunSpec:
        """The run that the page describes, every value checked; `BadValue` says what is wrong."""
        method = values[self.choice.method]
        backbone = values[self.backbone] or ""
        recipe = self.own.recorded(self.recipe.values(values), method)
        run = RunSpec(
            method=method,
            knobs=self.methods[method].form.changed(values),
            data=self.data.spec(values),
            backbone=backbone,
            size=self.own.recorded_size(int(values[self.extras.size] or 0), backbone),
            recipe=build_config(Recipe, recipe),
            name=(values[self.extras.name] or "").strip(),
            thumbnail=bool(values[self.extras.thumbnail]),
            tune=int(values[self.extras.tune] or 0),
        )
        origin = values[self.extras.origin]
        return _going_on(run, origin) if origin else run

    @property
    def typed(self) -> list[Component]:
        """The fields where anything can be typed."""
        parts = [self.recipe, *(method.form for method in self.methods.values())]
        widgets = [widget for part in parts for widget in part.widgets]
        return [widget for widget in widgets if isinstance(widget, gr.Number)]

    def wrong(self, values: Values) -> dict[Component, str]:
        """Typed fields of the chosen method and of the recipe → what is wrong with their value."""
        method = self.methods[values[self.choice.method]].form
        problems = {**method.problems(values), **self.recipe.problems(values)}
        return {widget: problems[widget] for widget in self.typed if widget in problems}

    def refill(self, run: RunSpec, data: Data, zoo: Zoo) -> Updates:
        """Updates that make the form describe an earlier run; what does not exist here is left
        alone.
        """
        updates = self.data.refill(run.data, data)
        if run.method in self.methods:
            updates[self.choice.method] = run.method
            updates |= self.methods[run.method].form.refill(run.knobs)
        if run.backbone in {card.name for card in zoo.backbones() if not card.refusal}:
            updates[self.backbone] = run.backbone
        recipe = {knob.name: getattr(run.recipe, knob.name) for knob in knobs(Recipe)}
        updates |= self.recipe.refill(recipe)
        if run.method in self.methods:
            updates |= self.own.show_rates(run.method, recipe)
        updates[self.extras.tune] = run.tune
        updates[self.extras.origin] = ""
        if run.origin:
            updates[self.extras.origin] = go_on_from.choices(zoo, run.origin.adapter)
        updates |= self.own.show_size(run.backbone, run.size)
        updates[self.extras.name] = ""
        return updates

    @property
    def refilled(self) -> list[Component]:
        """Everything that `refill` may change."""
        return [*self.widgets, *self.data.refilled]


class FormBuilder:
    """Draws a form in two places: a few fields in the open, the others under Advanced."""

    def __init__(self, methods: Sequence[MethodCard]):
        self.first = first_method(methods)
        in_the_open, self._advanced_recipe = forms.split(knobs(Recipe), RECIPE_IN_THE_OPEN)
        self._open_recipe = in_the_open
        room = IN_THE_OPEN - len(in_the_open)
        self._methods = methods
        self._knobs = {method.name: forms.split(method.knobs, room) for method in methods}

    def draw_open(self) -> None:
        """The method, its first knobs and those of the recipe."""
        self._choice = self._draw_choice()
        self.families = method_list.build()
        self._open = {name: self._draw_knobs(name, 0) for name in self._knobs}
        with gr.Row():
            self._recipe = forms.draw(self._open_recipe)

    def draw_advanced(self) -> None:
        """All other fields."""
        self._advanced = {name: self._draw_knobs(name, 1) for name in self._knobs}
        self._extras = _draw_extras()
        self._recipe = forms.joined(self._recipe, forms.draw_folded(self._advanced_recipe))

    def form(self, backbone: gr.Dropdown, data: DataForm, zoo: Zoo) -> RunForm:
        """The form, after both parts have been drawn, with the values that they begin with."""
        methods = {}
        for name in self._knobs:
            open_column, open_form = self._open[name]
            advanced_column, advanced_form = self._advanced[name]
            joined = forms.joined(open_form, advanced_form)
            methods[name] = MethodForm(open_column, advanced_column, joined)
        cards = {card.name: card for card in self._methods}
        own = OwnValues(cards, self._recipe, self._extras.size, zoo)
        rates = own.rates(self.first.name)
        for name, widget in own.rate_fields:
            widget.value = rates[name]
            widget.info = OWN_RATE
        own.size.value = own.pixels(backbone.value or "")
        return RunForm(self._choice, methods, self._recipe, self._extras, backbone, data, own)

    def _draw_choice(self) -> MethodChoice:
        method = gr.Dropdown(
            choices(self._methods),
            value=self.first.name,
            label="Method",
            filterable=True,
        )
        summary = gr.Markdown(describe(self.first), elem_classes="quiet")
        return MethodChoice(method, summary, gr.State(self.first.name))

    def _draw_knobs(self, method: str, part: int) -> tuple[gr.Column, forms.Form]:
        fields: list[Knob] = self._knobs[method][part]
        with gr.Column(visible=method == self.first.name) as column:
            return column, forms.draw(fields)


def _going_on(run: RunSpec, origin: str) -> RunSpec:
    """The run from an adapter, which brings its own method, knobs, backbone and size."""
    return replace(run, method="", knobs={}, backbone="", size=0, origin=Origin(origin))


def _draw_extras() -> Extras:
    tune = gr.Number(
        0,
        label="Tune for these images",
        info="tries so many learning rates and knobs first; validation images choose; 0: none",
        precision=0,
        elem_id="tune",
    )
    origin = go_on_from.build()
    size = gr.Number(0, label="Image size", info="pixels of a side", precision=0)
    name = gr.Textbox(
        "", label="Name of the adapter", info="empty: method, dataset and seed", max_length=60
    )
    thumbnail = gr.Checkbox(
        False, label="Keep a small picture of one training image in the adapter file"
    )
    return Extras(size, name, thumbnail, tune, origin)


def describe(card: MethodCard) -> str:
    """Markdown: one line on a method and its formula; papers stand under Help."""
    advice = "**Recommended to begin with.** " if card.name == RECOMMENDED else ""
    merges = "merges into the backbone" if card.merges else "stays beside the backbone"
    summary = text.plain(text.sentence(card.summary))
    return f"{advice}{summary}<br>`{card.formula}` · {merges}"
