"""What the browser remembers of the forms, so that a reload finds them as they were.

The browser may send anything here: what is not a value of its field is left out.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from ...contracts.errors import PeftDemoError
from ...contracts.service import Zoo
from ..forms import Form
from ..wiring import Part, Updates, Values
from .form import RunForm

LONGEST = 500
"""Characters of a text."""


class Memory:
    """Between the form and the JSON that the browser keeps in `state`."""

    def __init__(self, state: gr.BrowserState, form: RunForm, zoo: Zoo):
        self.state = state
        self._form = form
        self._zoo = zoo
        data = form.data
        sources = data.sources
        self._texts: dict[str, Component] = {
            "bundled": sources.bundled,
            "upload": sources.upload_key,
            "folder": sources.panels["folder"].name,
            "hub": sources.panels["hub"].name,
            "name": form.extras.name,
        }
        self._numbers: dict[str, Component] = {
            "shots": data.shots,
            "seed": data.seed,
            "size": form.extras.size,
            "tune": form.extras.tune,
        }

    @property
    def outputs(self) -> list[Part]:
        """Everything that `recall` may change."""
        plain = [*self._texts.values(), *self._numbers.values()]
        return list(dict.fromkeys([*self._form.widgets, self._form.data.sources.choice, *plain]))

    def keep(self, values: Values) -> dict[str, Any]:
        """What the browser is to remember."""
        form = self._form
        method = values[form.choice.method]
        plain = {**self._texts, **self._numbers}
        return {
            "source": values[form.data.sources.choice],
            "method": method,
            "backbone": values[form.backbone],
            "knobs": _knob_values(form.methods[method].form, values),
            "recipe": _knob_values(form.recipe, values),
            "thumbnail": bool(values[form.extras.thumbnail]),
            **{name: values[component] for name, component in plain.items()},
        }

    def recall(self, kept: Any) -> Updates:
        """Updates that fill the forms with what the browser remembered."""
        if not isinstance(kept, Mapping) or not kept:
            return {}
        form = self._form
        updates: Updates = {}
        sources = [name for _, name in form.data.sources.choice.choices]
        backbones = [card.name for card in self._zoo.backbones()]
        choices = (
            ("source", form.data.sources.choice, sources),
            ("method", form.choice.method, list(form.methods)),
            ("backbone", form.backbone, backbones),
        )
        for name, component, allowed in choices:
            if kept.get(name) in allowed:
                updates[component] = kept[name]
        updates |= self._recall_plain(kept)
        method = updates.get(form.choice.method)
        if method:
            updates |= _recall_knobs(form.methods[method].form, kept.get("knobs"))
        updates |= _recall_knobs(form.recipe, kept.get("recipe"))
        if method:
            rates = {name: updates.get(widget) for name, widget in form.own.rate_fields}
            updates |= form.own.show_rates(method, rates)
        if not updates.get(form.extras.size):
            updates |= form.own.show_size(updates.get(form.backbone, form.backbone.value))
        updates[form.extras.thumbnail] = kept.get("thumbnail") is True
        return updates

    def _recall_plain(self, kept: Mapping[str, Any]) -> Updates:
        updates: Updates = {}
        for name, component in self._texts.items():
            value = kept.get(name)
            if isinstance(value, str) and len(value) <= LONGEST:
                updates[component] = value
        for name, component in self._numbers.items():
            value = kept.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                updates[component] = value
        bundled = [name for _, name in self._form.data.sources.bundled.choices]
        if updates.get(self._texts["bundled"]) not in bundled:
            updates.pop(self._texts["bundled"], None)
        return updates


def _knob_values(form: Form, values: Values) -> dict[str, Any]:
    return {knob.name: values[widget] for knob, widget in form.fields}


def _recall_knobs(form: Form, kept: Any) -> Updates:
    if not isinstance(kept, Mapping):
        return {}
    sound = {}
    for knob, _ in form.fields:
        value = kept.get(knob.name)
        try:
            sound[knob.name] = knob.check(tuple(value) if isinstance(value, list) else value)
        except (PeftDemoError, TypeError, ValueError):
            continue
    return form.refill(sound)
