"""The tab Adapters: the adapters there are, what their cards say, and what can
be done with them.
"""

import html
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ...contracts.service import Answers, Hub, Zoo
from ..data.form import DataForm
from ..page import Page
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED, Updates
from . import details, evaluate, get, scatter, share
from .added import Added
from .details import DELETE, PICK, Details
from .table import COLUMNS, table

EMPTY = "No adapters yet. Train one in **Train**, or drop an adapter file below."
SURE = "Really delete?"
NAME_FILTER = """() => {
  const filter = document.querySelector("#zoo .search-input")
  if (filter) filter.setAttribute("aria-label", "Filter the adapters")
}"""
"""Gradio's search field has no name that a screen reader says."""


@dataclass(frozen=True)
class AdaptersTab:
    hint: gr.Markdown
    scatter: scatter.Scatter
    table: gr.Dataframe
    details: Details
    drop: gr.File
    share: share.Share
    get: get.Get


def build(
    page: Page,
    tab: gr.Tab,
    data_form: DataForm,
    zoo: Zoo,
    hub: Hub,
    answers: Answers,
    *,
    offline: bool,
) -> AdaptersTab:
    """Draws the tab into the open context and connects its events."""
    drawing = scatter.build()
    hint = gr.Markdown(EMPTY)
    rows = gr.Dataframe(
        headers=COLUMNS,
        interactive=False,
        show_search="filter",
        max_height=360,
        show_label=False,
        elem_id="zoo",
    )
    with gr.Column(visible=False) as column:
        shown = details.build(column)
        errors = evaluate.build()
        shared = share.build(offline)
    drop = gr.File(
        file_types=[".safetensors"],
        label="Drop an adapter file to add it",
        height=120,
        elem_id="import",
    )
    adapters_tab = AdaptersTab(hint, drawing, rows, shown, drop, shared, get.build(offline))
    _connect(page, tab, adapters_tab, zoo)
    evaluate.connect(errors, shown.chosen, data_form, answers)
    share.connect(shared, shown.chosen, page.zoo_changed, zoo, hub)
    added = Added(shown, page.zoo_changed, zoo)
    get.connect(adapters_tab.get, added, hub)
    return adapters_tab


def _connect(page: Page, tab: gr.Tab, adapters_tab: AdaptersTab, zoo: Zoo) -> None:
    shown = adapters_tab.details
    edit = shown.edit
    changed = page.zoo_changed
    added = Added(shown, changed, zoo)
    listed = gr.on(
        [page.blocks.load, tab.select, changed.change],
        _list(adapters_tab, zoo),
        adapters_tab.scatter.dataset,
        [adapters_tab.table, adapters_tab.hint, *adapters_tab.scatter.parts],
        **UNQUEUED,
    )
    listed.then(None, None, None, js=NAME_FILTER, **QUEUED)
    adapters_tab.table.select(
        _choose(shown, zoo), None, shown.outputs, trigger_mode="always_last", **QUEUED
    )
    scatter.connect(adapters_tab.scatter, zoo)
    adapters_tab.scatter.drawing.select(
        _choose_point(shown, zoo), None, shown.outputs, trigger_mode="always_last", **QUEUED
    )
    adapters_tab.drop.upload(
        _import(adapters_tab.drop, added),
        [adapters_tab.drop, changed],
        [*added.outputs, adapters_tab.drop],
        api_visibility="private",
    )
    edit.name.submit(_rename(added), [shown.chosen, edit.name, changed], added.outputs, **QUEUED)
    edit.new_class.submit(
        _rename_class(added),
        [shown.chosen, edit.old_class, edit.new_class, changed],
        added.outputs,
        **QUEUED,
    )
    edit.delete.click(
        _delete(edit.delete, added), [shown.chosen, edit.delete, changed], added.outputs, **QUEUED
    )


def _list(adapters_tab: AdaptersTab, zoo: Zoo):
    """The handler that lists the adapters and draws those of the chosen dataset."""

    @speaking
    def list_adapters(dataset: str | None) -> Updates:
        entries = zoo.entries()
        return {
            adapters_tab.table: gr.Dataframe(table(entries), visible=bool(entries)),
            adapters_tab.hint: PICK if entries else EMPTY,
            **adapters_tab.scatter.show(entries, dataset),
        }

    return list_adapters


def _choose(shown: Details, zoo: Zoo):
    @speaking
    def choose(event: gr.SelectData) -> Updates:
        return shown.show(event.row_value[0], zoo)

    return choose


def _choose_point(shown: Details, zoo: Zoo):
    @speaking
    def choose_point(event: gr.SelectData) -> Updates:
        return shown.show(str(event.value), zoo)

    return choose_point


def _import(drop: gr.File, added: Added):
    @speaking
    def take(file: str, counter: int) -> Updates:
        id = added.zoo.take(Path(file))
        gr.Info(f"Added as {html.escape(id)}.")
        return {**added.show(id, counter), drop: None}

    return take


def _rename(added: Added):
    @speaking
    def rename(id: str, name: str, counter: int) -> Updates:
        new_id = added.zoo.rename(id, name.strip())
        if new_id != name.strip():
            gr.Info(
                f"It is called {html.escape(new_id)}: names are small letters, digits, hyphens."
            )
        return added.show(new_id, counter)

    return rename


def _rename_class(added: Added):
    @speaking
    def rename(id: str, old: str, new: str, counter: int) -> Updates:
        added.zoo.rename_class(id, old, " ".join(new.split()))
        return added.show(id, counter)

    return rename


def _delete(button: gr.Button, added: Added):
    """The first click asks, the second one deletes."""

    @speaking
    def delete(id: str, label: str, counter: int) -> Updates:
        if label != SURE:
            return {button: SURE}
        added.zoo.delete(id)
        gr.Info(f"{html.escape(id)} lies in the trash folder now.")
        return {**added.show("", counter), button: DELETE}

    return delete
