"""All methods in their families, with what each costs: a list to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

import gradio as gr

from ...contracts.cards import Cost, MethodCard
from ...contracts.errors import PeftDemoError, UnknownName
from ...contracts.families import FAMILIES
from ...contracts.service import Training
from ...contracts.specs import RunSpec
from .. import text
from ..toasts import speaking
from ..wiring import Updates
from . import pressed
from .own_values import OwnValues

ASSUMED_CLASSES = 10
"""Where nobody has counted them."""

RECOMMENDED = RunSpec.method
"""What a newcomer starts with: what a run trains that names no method."""
OTHERS = "others"
"""The family of methods that belong to none."""


def first_method(methods: Sequence[MethodCard]) -> MethodCard:
    """The recommended one, where it is there."""
    return next((card for card in methods if card.name == RECOMMENDED), methods[0])


def in_families(methods: Sequence[MethodCard]) -> dict[str, list[MethodCard]]:
    """Family → its methods by title, the recommended one first; families without any are left
    out.
    """
    families: dict[str, list[MethodCard]] = {family: [] for family in (*FAMILIES, OTHERS)}
    for card in sorted(methods, key=lambda card: (card.name != RECOMMENDED, card.title.casefold())):
        families[card.family or OTHERS].append(card)
    return {family: cards for family, cards in families.items() if cards}


def choices(methods: Sequence[MethodCard]) -> list[tuple[str, str]]:
    """Dropdown choices, (title, name), family by family."""
    families = in_families(methods).values()
    return [(card.title, card.name) for cards in families for card in cards]


class Prices:
    """What each method costs with its own knobs, asked once."""

    def __init__(self, training: Training):
        self._training = training
        self._ask = lru_cache(1024)(self._cost)

    def of(
        self, methods: Sequence[MethodCard], backbone: str, classes: int
    ) -> Mapping[str, Cost | None]:
        """Method → its cost, None where it does not fit this backbone."""
        return {card.name: self._ask(card.name, backbone, classes) for card in methods}

    def _cost(self, method: str, backbone: str, classes: int) -> Cost | None:
        try:
            return self._training.cost(RunSpec(method=method, backbone=backbone), classes)
        except PeftDemoError:
            return None


@dataclass(frozen=True)
class Families:
    accordion: gr.Accordion
    listed: gr.HTML


def build() -> Families:
    """Draws the closed list into the open context; it is filled when it is opened."""
    with gr.Accordion("All methods by family", open=False, elem_id="method-families") as accordion:
        listed = pressed.build("methods")
    return Families(accordion, listed)


def lister(training: Training):
    """The handler that fills the list."""
    prices = Prices(training)

    @speaking
    def list_methods(backbone: str, chosen: str) -> str:
        methods = training.methods()
        return draw(methods, prices.of(methods, backbone or "", ASSUMED_CLASSES), chosen)

    return list_methods


def chooser(own: OwnValues, method: gr.Dropdown, families: Families):
    """The handler of a press: the method is chosen, with its own rates, and the list closes."""

    @speaking
    def choose(event: gr.SelectData) -> Updates:
        chosen = pressed.read(event).id
        if chosen not in own.methods:
            raise UnknownName("method", chosen, own.methods)
        return {
            method: chosen,
            families.accordion: gr.Accordion(open=False),
            **own.show_rates(chosen),
        }

    return choose


def draw(methods: Sequence[MethodCard], prices: Mapping[str, Cost | None], chosen: str) -> str:
    """HTML: the families and their methods, each a button to choose it by."""
    parts = []
    for family, cards in in_families(methods).items():
        lines = "".join(_line(card, prices.get(card.name), chosen) for card in cards)
        about = f" <span>{escape(FAMILIES[family])}</span>" if family in FAMILIES else ""
        parts.append(f"<h3>{escape(family.capitalize())}{about}</h3><ul>{lines}</ul>")
    return f'<div class="families">{"".join(parts)}</div>'


def _line(card: MethodCard, cost: Cost | None, chosen: str) -> str:
    mark = "<i>recommended</i>" if card.name == RECOMMENDED else ""
    state = "true" if card.name == chosen else "false"
    words = (
        f"<b>{escape(card.title)} {mark}</b><em>{escape(price(cost))}</em>"
        f"<span>{escape(text.sentence(card.summary))}</span>"
    )
    return (
        f'<li><button type="button" data-act="choose" data-id="{escape(card.name)}" '
        f'aria-pressed="{state}">{words}</button></li>'
    )


def price(cost: Cost | None) -> str:
    """74 k numbers · 311 kB"""
    if cost is None:
        return "not on this backbone"
    about = "about " if cost.budget else ""
    numbers = text.short(cost.trainable + cost.head)
    return f"{about}{numbers} numbers · {text.size(cost.file_bytes)}"
