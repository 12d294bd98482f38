"""Fields where a spec says 0 for "the method's own" or "the backbone's own" show that value itself.

While a field shows it, the spec says 0 as before: what is recorded does not depend on the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from ...contracts.cards import MethodCard
from ...contracts.service import Zoo
from ...contracts.specs import RATES
from .. import forms
from ..wiring import Updates


@dataclass(frozen=True)
class OwnValues:
    """Between what the fields show and what a spec says."""

    methods: Mapping[str, MethodCard]
    recipe: forms.Form
    size: gr.Number
    zoo: Zoo

    def rates(self, method: str) -> dict[str, float]:
        """The method's own learning rates, by field of the recipe."""
        card = self.methods[method]
        return {name: getattr(card, name) for name in RATES}

    def pixels(self, backbone: str) -> int:
        """The backbone's own image side; 0 where it is not known."""
        sizes = {card.name: card.size for card in self.zoo.backbones()}
        return sizes.get(backbone, 0)

    def recorded(self, recipe: Mapping[str, Any], method: str) -> dict[str, Any]:
        """The recipe as a spec says it: 0 for a rate that is the method's own."""
        own = self.rates(method)
        return {name: 0.0 if own.get(name) == value else value for name, value in recipe.items()}

    def recorded_size(self, size: int, backbone: str) -> int:
        """The image side as a spec says it: 0 where it is the backbone's own."""
        return 0 if size == self.pixels(backbone) else size

    def show_rates(self, method: str, recipe: Mapping[str, Any] | None = None) -> Updates:
        """Updates that show the rates of this recipe, the own ones where it leaves them open."""
        given = recipe or {}
        own = self.rates(method)
        return {widget: given.get(name) or own[name] for name, widget in self.rate_fields}

    def show_size(self, backbone: str, size: int = 0) -> Updates:
        """Updates that show this image side, the backbone's own for 0."""
        return {self.size: size or self.pixels(backbone)}

    @property
    def shown_rates(self) -> Sequence[Component]:
        """What `show_rates` changes."""
        return [widget for _, widget in self.rate_fields]

    @property
    def rate_fields(self) -> list[tuple[str, Component]]:
        """(name, field) of each learning rate."""
        return [(knob.name, widget) for knob, widget in self.recipe.fields if knob.name in RATES]
