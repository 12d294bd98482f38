"""What leads from one tab to another."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ..contracts.errors import BadValue, UnknownName
from ..contracts.service import Data, Zoo
from ..contracts.specs import RunSpec
from . import address
from .adapters import AdaptersTab
from .classify import ClassifyTab
from .classify.answers import MOST
from .classify.usable import usable
from .data import DataTab
from .page import Page
from .toasts import speaking
from .train import TrainTab
from .wiring import ON_DEVICE, QUEUED, TO_TOP, Updates

TABS = ("classify", "data", "train", "compare", "adapters", "help")
"""Ids of the tabs, as the address names them."""


def connect(
    tabs: gr.Tabs,
    classify: ClassifyTab,
    data_tab: DataTab,
    train: TrainTab,
    adapters: AdaptersTab,
    zoo: Zoo,
    data: Data,
) -> None:
    """Connects the buttons that lead elsewhere: to an answer of an adapter, to a run like the one
    that made it, and to classes of one's own.
    """
    trains = data_tab.view.go.click(_to_train, None, tabs, **QUEUED)
    actions = adapters.details.actions
    chosen = adapters.details.chosen
    to_classify = [tabs, classify.question.adapter]
    tries = train.view.classify.click(
        _try_trained(tabs, classify, zoo),
        train.view.adapter,
        [*to_classify, *classify.begun],
        **QUEUED,
    )
    asks = actions.classify.click(_classify_with(zoo), chosen, to_classify, **QUEUED)
    selection = adapters.selection
    compares = selection.compare.click(
        compare_adapters(zoo), selection.ticked, [*to_classify, classify.question.compare], **QUEUED
    )
    # Where the first of them is chosen already, no change of it would ask.
    question = classify.question
    asked = [question.image, question.adapter, question.compare, question.sample_of]
    compares.success(classify.ask, asked, classify.shown, **ON_DEVICE)
    to_train = [tabs, *train.form.refilled]
    source = train.form.data.sources.choice
    to_cards = [classify.teach.click, classify.to_cards.click]
    teaches = gr.on(to_cards, _teach, None, [tabs, source], **QUEUED)
    repeats = actions.again.click(_train_like(tabs, train, zoo, data), chosen, to_train, **QUEUED)
    for led in (trains, tries, asks, compares, teaches, repeats):
        led.success(None, None, None, js=TO_TOP, **QUEUED)


def _to_train() -> gr.Tabs:
    return gr.Tabs(selected="train")


def _teach() -> tuple[gr.Tabs, str]:
    return gr.Tabs(selected="data"), "draft"


def _classify_with(zoo: Zoo):
    @speaking
    def classify_with(id: str) -> tuple[gr.Tabs, gr.Dropdown]:
        return gr.Tabs(selected="classify"), _chosen(zoo, id)

    return classify_with


def compare_adapters(zoo: Zoo):
    """The handler that leads to Classify with the ticked adapters side by side."""

    @speaking
    def compare(ids: Sequence[str]) -> tuple[gr.Tabs, gr.Dropdown, gr.Dropdown]:
        known = usable(zoo)
        chosen = [id for id in ids if id in known]
        if len(chosen) < len(ids):
            raise BadValue("not all of these can answer here.", "Leave out those that cannot.")
        if not 1 < len(chosen) <= MOST:
            raise BadValue(
                f"2 to {MOST} adapters can be compared, and {len(chosen)} are chosen.",
                f"Tick at most {MOST}." if len(chosen) > MOST else "Tick one more.",
            )
        first, *others = chosen
        together = gr.Dropdown(known, value=others, multiselect=True)
        return gr.Tabs(selected="classify"), gr.Dropdown(known, value=first), together

    return compare


def _try_trained(tabs: gr.Tabs, classify: ClassifyTab, zoo: Zoo):
    """To the adapter of a run, with the pictures that were held out and room for a new one."""

    @speaking
    def try_trained(id: str) -> Updates:
        return {
            tabs: gr.Tabs(selected="classify"),
            classify.question.adapter: _chosen(zoo, id),
            **classify.begin(zoo, id),
        }

    return try_trained


def _chosen(zoo: Zoo, id: str) -> gr.Dropdown:
    ids = usable(zoo)
    if id not in ids:
        raise UnknownName("adapter", id, ids)
    return gr.Dropdown(ids, value=id)


def _train_like(tabs: gr.Tabs, train: TrainTab, zoo: Zoo, data: Data):
    @speaking
    def train_like(id: str) -> Updates:
        run = RunSpec.from_json(zoo.card(id).spec)
        return {tabs: gr.Tabs(selected="train"), **train.form.refill(run, data, zoo)}

    return train_like


def reopen(page: Page, tabs: gr.Tabs, train: TrainTab) -> None:
    """A page that is opened fills its forms from the browser's memory, and opens the tab that its
    address names."""
    memory = train.memory

    @speaking
    def recall(kept: Any, request: gr.Request) -> Updates | Any:
        updates = memory.recall(kept)
        tab = address.asked(request, "tab")
        if tab in TABS:
            updates[tabs] = gr.Tabs(selected=tab)
        return updates or gr.skip()

    recalled = page.blocks.load(recall, memory.state, [tabs, *memory.outputs], **QUEUED)
    recalled.then(None, None, None, js=address.IS_READ, **QUEUED)
