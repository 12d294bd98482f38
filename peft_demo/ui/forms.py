"""Knobs become widgets: a form for every method, drawn from its card, with no
list to keep in step.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.components import Component

from ..contracts.errors import BadValue
from ..contracts.knobs import Knob
from .text import sentence
from .wiring import Updates, Values

PAPERS = "To repeat a paper's recipe"
SLIDER_STEPS = 256
"""Whole numbers with a longer way from end to end are typed, not slid."""


def widget(knob: Knob) -> Component:
    """The widget for a knob, at its default.

    Typed numbers carry no bounds of Gradio's own: a value out of range in the hidden form of
    another method must not hold up this one, and `Knob.check` has the better sentence.
    """
    look: dict[str, Any] = {
        "label": knob.label,
        "info": knob.info or None,
        "value": knob.default,
        "interactive": True,
    }
    choices = [(str(choice), choice) for choice in knob.choices]
    match knob.kind:
        case "bool":
            return gr.Checkbox(**look)
        case "choice" if len(choices) <= 3:
            return gr.Radio(choices, **look)
        case "choice":
            return gr.Dropdown(choices, **look)
        case "choices":
            look["value"] = list(knob.default)
            return gr.CheckboxGroup(choices, **look)
        case "int":
            return _whole_number(knob, look)
        case _:
            return gr.Number(step=0.0001, **look)


def _whole_number(knob: Knob, look: dict[str, Any]) -> Component:
    low = knob.low
    high = knob.high
    if low is None or high is None or high - low > SLIDER_STEPS:
        return gr.Number(step=1, **look)
    return gr.Slider(low, high, step=1, **look)


def split(knobs: Iterable[Knob], room: int) -> tuple[list[Knob], list[Knob]]:
    """(what stands in the open, what goes under Advanced): never more than `room` in the open."""
    knobs = list(knobs)
    in_the_open = [knob for knob in knobs if not knob.advanced][:room]
    advanced = [knob for knob in knobs if knob not in in_the_open]
    return in_the_open, advanced


@dataclass(frozen=True)
class Form:
    """Widgets for some knobs."""

    fields: tuple[tuple[Knob, Component], ...]

    @property
    def widgets(self) -> list[Component]:
        return [widget for _, widget in self.fields]

    def values(self, values: Values) -> dict[str, Any]:
        """Checked values by knob name; `BadValue` with a sentence for an empty
        or impossible one.
        """
        return {knob.name: _checked(knob, values[widget]) for knob, widget in self.fields}

    def problems(self, values: Values) -> dict[Component, str]:
        """Widget → what is wrong with its value, in the label's words; those that are right are
        left out.
        """
        checked = {widget: problem(knob, values[widget]) for knob, widget in self.fields}
        return {widget: words for widget, words in checked.items() if words}

    def changed(self, values: Values) -> dict[str, Any]:
        """Only the values that differ from their default: what a spec has to say."""
        defaults = {knob.name: knob.default for knob, _ in self.fields}
        checked = self.values(values)
        return {name: value for name, value in checked.items() if value != defaults[name]}

    def refill(self, values: Mapping[str, Any]) -> Updates:
        """What to return from a handler so that the form shows `values`, defaults where they are
        silent.
        """
        updates: Updates = {}
        for knob, widget in self.fields:
            updates[widget] = _shown(knob, values.get(knob.name))
        return updates


def draw(knobs: Iterable[Knob]) -> Form:
    """A widget per knob, in order, into the open Gradio context."""
    return Form(tuple((knob, widget(knob)) for knob in knobs))


def draw_folded(knobs: Sequence[Knob]) -> Form:
    """Draws the widgets of some knobs of the recipe, the rare ones below them and folded away."""
    usual = draw([knob for knob in knobs if not knob.rare])
    with gr.Accordion(PAPERS, open=False):
        return joined(usual, draw([knob for knob in knobs if knob.rare]))


def joined(*forms: Form) -> Form:
    """Several forms as one."""
    return Form(tuple(field for form in forms for field in form.fields))


def _checked(knob: Knob, value: Any) -> Any:
    if value is None:
        raise BadValue(f"{knob.label} is empty.", f"Its default is {knob.default}.")
    return replace(knob, name=knob.label).check(value)


def problem(knob: Knob, value: Any) -> str:
    """What is wrong with a value, in the label's words; "" if nothing is."""
    try:
        _checked(knob, value)
    except BadValue as error:
        return sentence(str(error))
    return ""


def _shown(knob: Knob, value: Any) -> Any:
    if value is None:
        value = knob.default
    return list(value) if knob.kind == "choices" else value
