"""The tab Adapters: the adapters there are, what their cards say, and what can be done with them.

Either the list stands there, or one adapter that was opened from it.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ...contracts.cards import ZooEntry
from ...contracts.service import Answers, Hub, Training, Zoo
from .. import text
from ..data.form import DataForm
from ..files import offer
from ..page import Page
from ..titles import method_titles
from ..toasts import speaking
from ..wiring import QUEUED, TO_TOP, UNQUEUED, Updates, relisted
from . import (
    add,
    changed,
    data_map,
    delivery,
    details,
    edit,
    evaluate,
    export,
    filters,
    listing,
    pictures,
    scatter,
    selection,
    share,
    shelf,
    team,
    trash,
    verify,
)
from .shelf import Wanted
from .tab import AdaptersTab as AdaptersTab

EMPTY = "## No adapters yet\nTrain one in **Train**, or press **Add**."
TO_CARD = """() => {
  const ends = Date.now() + 30_000
  const look = () => {
    const cards = [...document.querySelectorAll("#adapters [data-open]")]
    const card = cards.find((card) => card.dataset.open === window.openedAdapter)
    const isElsewhere = !document.activeElement?.matches("body, #back")
    if (isElsewhere || Date.now() > ends) return
    if (!card?.offsetParent) return setTimeout(look, 50)
    card.scrollIntoView({block: "center"})
    card.focus({preventScroll: true})
  }
  look()
}"""
"""Back in the list a person finds the adapter that they opened, where they left it."""


def build(
    page: Page,
    tab: gr.Tab,
    data_form: DataForm,
    zoo: Zoo,
    hub: Hub,
    answers: Answers,
    training: Training,
    *,
    offline: bool,
) -> AdaptersTab:
    """Draws the tab into the open context and connects its events."""
    titles = method_titles(training)
    sheet, drawn = pictures.build()
    file = delivery.build()
    with gr.Column() as column:
        with gr.Row(equal_height=True, elem_id="adapters-top"):
            lead_line = gr.Markdown(EMPTY, elem_id="adapters-lead")
            button = gr.Button(
                "Add", variant="primary", size="md", scale=0, min_width=110, elem_id="add"
            )
        adding = add.build(tab, zoo, offline)
        undo = selection.build_undo()
        chips = filters.build_chips()
        drawing = scatter.build()
        filtered = filters.build(*chips)
        cards = listing.build()
        chosen = selection.build(undo)
        as_one = team.build()
        trashed = trash.build()
    with gr.Column(visible=False) as opened:
        shown = details.build(opened, titles)
        errors = evaluate.build()
        mapped = data_map.build()
        inside = changed.build()
        exported = export.build(file)
        shared = share.build(offline)
    adapters_tab = AdaptersTab(
        column,
        lead_line,
        adding,
        filtered,
        drawing,
        cards,
        chosen,
        trashed,
        shown,
        inside,
        shared,
        titles,
    )
    _connect_list(page, tab, adapters_tab, (sheet, drawn), zoo)
    _connect_details(page, adapters_tab, file, zoo)
    add.connect(adding, button, page.zoo_changed, zoo, hub)
    selection.connect(chosen, cards, file, page.zoo_changed, zoo)
    team.connect(as_one, chosen, answers)
    trash.connect(trashed, page.zoo_changed, zoo)
    evaluate.connect(errors, shown.chosen, data_form, answers)
    data_map.connect(mapped, shown.chosen, data_form, answers)
    changed.connect(inside, shown.chosen, zoo)
    verify.connect(shown.actions.verify, shown.actions.verified, shown.chosen, zoo)
    export.connect(exported, shown.chosen, zoo)
    share.connect(shared, shown.chosen, page.zoo_changed, zoo, hub)
    return adapters_tab


def _connect_list(
    page: Page, tab: gr.Tab, adapters_tab: AdaptersTab, sheet: tuple[gr.HTML, gr.State], zoo: Zoo
) -> None:
    part = adapters_tab.filters
    chosen = [part.dataset, part.method, part.words, part.order, part.view]
    asked = [*chosen, adapters_tab.selection.ticked]
    draw = lister(adapters_tab, zoo)
    listed = gr.on(
        [tab.select, page.zoo_changed.change], draw, asked, adapters_tab.listed, **UNQUEUED
    )
    # Gradio tells nothing of the first `input` of a text field; `change` it does.
    gr.on(
        [part.words.change, *(choice.input for choice in chosen if choice is not part.words)],
        draw,
        asked,
        adapters_tab.listed,
        trigger_mode="always_last",
        **UNQUEUED,
    )
    adapters_tab.listing.apply(_sort, None, part.order, **QUEUED).then(
        draw, asked, adapters_tab.listed, **UNQUEUED
    )
    listed.then(painter(sheet, zoo), sheet[1], list(sheet), **QUEUED)


def lister(adapters_tab: AdaptersTab, zoo: Zoo):
    """The handler that lists and draws the adapters that fit the filters."""
    part = adapters_tab.filters
    titles = adapters_tab.titles

    @speaking
    def list_adapters(
        dataset: str, method: str, words: str, order: str, view: str, ticked: tuple[str, ...]
    ) -> Updates:
        entries = zoo.entries()
        datasets = shelf.dataset_chips(entries)
        wanted_dataset = shelf.chosen(dataset, datasets)
        of_dataset = [e for e in entries if wanted_dataset in (shelf.ALL, shelf.dataset_of(e))]
        methods = shelf.method_chips(of_dataset, titles)
        wanted_method = shelf.chosen(method, methods)
        wanted = Wanted(wanted_dataset, wanted_method, words, order)
        shown = shelf.shown(entries, wanted, titles)
        return {
            adapters_tab.lead: lead(entries) if entries else EMPTY,
            part.dataset: relisted(gr.Radio, datasets, dataset, wanted_dataset),
            part.method: relisted(gr.Radio, methods, method, wanted_method),
            adapters_tab.scatter: scatter.draw(scatter.points(shown, titles)),
            adapters_tab.listing: listing.draw(view, shown, ticked, titles, order),
            **adapters_tab.selection.show(ticked, entries),
            **adapters_tab.trash.show(zoo.trash()),
        }

    return list_adapters


def lead(entries: Sequence[ZooEntry]) -> str:
    """Markdown: how many there are, and what they take together."""
    size = text.size(sum(entry.file_bytes for entry in entries))
    return (
        f"## {text.plural(len(entries), 'adapter')}, {size} together\n"
        "Each is one small file. The backbone they stand on is frozen and shared by all."
    )


@speaking
def _sort(event: gr.EventData) -> str:
    """The order that a press on the head of a column asks for; a browser may send anything."""
    order = event._data.get("order") if isinstance(event._data, dict) else None
    return order if order in [value for _, value in shelf.ORDERS] else shelf.NEWEST


def painter(sheet: tuple[gr.HTML, gr.State], zoo: Zoo):
    """The handler that brings the pictures of adapters that have none on the page yet."""
    html, drawn = sheet

    @speaking
    def paint(before: pictures.Drawn) -> Updates | Any:
        entries = zoo.entries()
        now = pictures.drawn(entries)
        if now == before:
            return gr.skip()
        return {html: pictures.sheet(entries, zoo), drawn: now}

    return paint


def _connect_details(
    page: Page, adapters_tab: AdaptersTab, file: gr.DownloadButton, zoo: Zoo
) -> None:
    shown = adapters_tab.details
    fields = shown.edit
    changed = page.zoo_changed
    both = [*adapters_tab.opened, changed]
    for part in (adapters_tab.listing, adapters_tab.scatter):
        opened = part.select(
            opener(adapters_tab, zoo),
            None,
            adapters_tab.opened,
            trigger_mode="multiple",
            **QUEUED,
        )
        opened.success(None, None, None, js=TO_TOP, **QUEUED)
    left = shown.back.click(speaking(adapters_tab.close), None, adapters_tab.opened, **QUEUED)
    left.then(None, None, None, js=TO_CARD, **QUEUED)
    delivery.then_save(
        shown.actions.download.click(_download(zoo), shown.chosen, file, **QUEUED), file
    )
    fields.name.submit(
        edit.renamer(adapters_tab, changed, zoo),
        [shown.chosen, fields.name, changed],
        both,
        **QUEUED,
    )
    fields.new_class.submit(
        edit.class_renamer(adapters_tab, changed, zoo),
        [shown.chosen, fields.old_class, fields.new_class, changed],
        both,
        **QUEUED,
    )
    fields.delete.click(
        edit.deleter(adapters_tab, changed, zoo),
        [shown.chosen, changed],
        [*both, *adapters_tab.selection.undone],
        **QUEUED,
    )


def opener(adapters_tab: AdaptersTab, zoo: Zoo):
    """The handler that opens the adapter that was pressed."""

    @speaking
    def open_adapter(event: gr.SelectData) -> Updates:
        return adapters_tab.open(str(event.value), zoo)

    return open_adapter


def _download(zoo: Zoo):
    @speaking
    def download(id: str) -> str:
        return offer(zoo.file(id))

    return download
