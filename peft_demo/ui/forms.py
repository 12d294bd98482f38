"""Knobs become widgets: a form for every method, drawn from its card, with no list to keep in step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from ..contracts.errors import BadValue
from ..contracts.knobs import Knob

SLIDER_STEPS = 256
"""Whole numbers with a longer way from end to end are typed, not slid."""


def widget(knob: Knob) -> Component:
    """The widget for a knob at its default. Typed numbers carry no bounds of Gradio's own: a value out of range in the
    hidden form of another method must not hold up this one, and `Knob.check` has the better sentence."""
    about = {
        "label": knob.label,
        "info": knob.info or None,
        "value": knob.default,
        "interactive": True,
    }
    match knob.kind:
        case "bool":
            return gr.Checkbox(**about)
        case "choice":
            kind = gr.Radio if len(knob.choices) <= 3 else gr.Dropdown
            return kind(choices=[(str(c), c) for c in knob.choices], **about)
        case "choices":
            about["value"] = list(knob.default)
            return gr.CheckboxGroup(choices=[(str(c), c) for c in knob.choices], **about)
        case "int" if knob.high - knob.low <= SLIDER_STEPS:
            return gr.Slider(knob.low, knob.high, step=1, **about)
        case kind:
            return gr.Number(
                precision=0 if kind == "int" else None, step=1 if kind == "int" else 0.0001, **about
            )


def split(knobs: Iterable[Knob], room: int) -> tuple[list[Knob], list[Knob]]:
    """(what stands in the open, what goes under Advanced): never more than `room` in the open."""
    knobs = list(knobs)
    plain = [k for k in knobs if not k.advanced][:room]
    return plain, [k for k in knobs if k not in plain]


@dataclass(frozen=True)
class Form:
    """Widgets for some knobs."""

    fields: tuple[tuple[Knob, Component], ...]

    @property
    def widgets(self) -> list[Component]:
        return [w for _, w in self.fields]

    def values(self, given: Mapping[Component, Any]) -> dict[str, Any]:
        """Checked values by knob name; `BadValue` with a sentence for an empty or impossible one."""
        return {knob.name: _checked(knob, given[w]) for knob, w in self.fields}

    def changed(self, given: Mapping[Component, Any]) -> dict[str, Any]:
        """Only the values that differ from their default: what a spec has to say."""
        return {
            k.name: v
            for k, v in zip(self._knobs, self.values(given).values(), strict=True)
            if v != k.default
        }

    def refill(self, values: Mapping[str, Any]) -> dict[Component, Any]:
        """What to return from a handler so that the form shows `values`, defaults where they are silent."""
        return {w: _shown(knob, values.get(knob.name, knob.default)) for knob, w in self.fields}

    @property
    def _knobs(self) -> list[Knob]:
        return [k for k, _ in self.fields]


def draw(knobs: Iterable[Knob]) -> Form:
    """A widget per knob, in order, into the open Gradio context."""
    return Form(tuple((k, widget(k)) for k in knobs))


def joined(*forms: Form) -> Form:
    """Several forms as one."""
    return Form(tuple(field for form in forms for field in form.fields))


def _checked(knob: Knob, value):
    if value is None:
        raise BadValue(f"{knob.label} is empty.", f"Its default is {knob.default}.")
    return knob.check(value)


def _shown(knob: Knob, value):
    value = knob.default if value is None else value
    return list(value) if knob.kind == "choices" else value
