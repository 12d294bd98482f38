"""Tab 3: the adapters there are, what their cards say, and what one can do with them."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import pandas as pd

from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import ZooEntry
from ..contracts.errors import BadValue, PeftDemoError
from ..contracts.service import Service
from ..contracts.specs import RunSpec
from . import charts, share, text
from .collect import offer
from .toasts import QUEUED, UNQUEUED, speaking

COLUMNS = [
    "Adapter",
    "Method",
    "Classes",
    "Shots",
    "Seed",
    "Size",
    "Val",
    "Test",
    "Backbone",
    "Note",
]
EMPTY = "No adapters yet. Train one in **Train**, or drop an adapter file below."
PICK = "Choose a row to see the card inside the file."
DELETE = "Delete"
SURE = "Really delete?"


@dataclass(frozen=True)
class AdaptersTab:
    tab: gr.Tab
    hint: gr.Markdown
    table: gr.Dataframe
    drop: gr.File
    chosen: gr.State
    """Id of the adapter whose details are shown, "" for none."""
    details: gr.Column
    card: gr.Markdown
    loss: gr.LinePlot
    accuracy: gr.LinePlot
    command: gr.Code
    download: gr.DownloadButton
    again: gr.Button
    classify: gr.Button
    rename: gr.Textbox
    old_class: gr.Dropdown
    new_class: gr.Textbox
    own: gr.Column
    delete: gr.Button
    share: share.Share
    get: share.Get
    stamp: gr.State
    """Grows whenever the zoo may have changed; other tabs listen to it."""


def build(tab: gr.Tab, service: Service) -> AdaptersTab:
    """Draws the tab into the open context."""
    hint = gr.Markdown(EMPTY)
    table = gr.Dataframe(
        headers=COLUMNS,
        interactive=False,
        show_search="filter",
        max_height=360,
        elem_id="zoo",
        show_label=False,
    )
    parts = {"tab": tab, "hint": hint, "table": table, "chosen": gr.State(""), "stamp": gr.State(0)}
    with gr.Column(visible=False) as details:
        parts |= _details() | {"share": share.build(service)}
    drop = gr.File(
        file_types=[".safetensors"],
        label="Drop an adapter file to add it",
        height=120,
        elem_id="import",
    )
    return AdaptersTab(details=details, drop=drop, get=share.build_get(service), **parts)


def _details() -> dict:
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            card = gr.Markdown(PICK, elem_id="card")
        with gr.Column(scale=3, min_width=320):
            loss = _plot("Training loss", charts.TRAIN)
            accuracy = _plot("Validation accuracy, %", charts.VAL)
        with gr.Column(scale=2, min_width=260):
            parts = _actions()
    with gr.Accordion("Reproduce it", open=False):
        command = gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
        )
    return {"card": card, "loss": loss, "accuracy": accuracy, "command": command, **parts}


def _plot(title: str, *legend: str) -> gr.LinePlot:
    return gr.LinePlot(
        x="step", y="value", color="series", title=title, x_title="step", y_title=" ", height=190, show_label=False,
        buttons=[], color_map=charts.COLOURS, colors_in_legend=list(legend), color_title="",
    )  # fmt: skip


def _actions() -> dict:
    classify = gr.Button("Classify with it", variant="primary")
    again = gr.Button("Train one like this")
    download = gr.DownloadButton("Download", elem_id="download")
    with gr.Column(visible=False) as own:
        rename = gr.Textbox(label="Name", max_length=60, submit_btn="Rename", elem_id="rename")
        old = gr.Dropdown([], value=None, label="Class")
        new = gr.Textbox(
            label="New name of the class",
            max_length=100,
            submit_btn="Rename",
            elem_id="rename-class",
        )
        delete = gr.Button(DELETE, variant="stop", size="sm", elem_id="delete")
    found = {
        "again": again,
        "classify": classify,
        "download": download,
        "rename": rename,
        "old_class": old,
    }
    return found | {"new_class": new, "own": own, "delete": delete}


def wire(demo: gr.Blocks, service: Service, tab: AdaptersTab) -> None:
    """Connects the tab's events; other tabs connect `classify` and `again`."""
    listed = [tab.table, tab.hint]
    shown = [tab.chosen, tab.details, *_shown(tab)]
    gr.on([demo.load, tab.tab.select, tab.stamp.change], _lister(service), None, listed, **UNQUEUED)
    tab.table.select(_chooser(service, tab), None, shown, trigger_mode="always_last", **QUEUED)
    done = [*shown, tab.stamp]
    tab.drop.upload(
        _importer(service, tab), [tab.drop, tab.stamp], [*done, tab.drop], api_visibility="private"
    )
    tab.rename.submit(_renamer(service, tab), [tab.chosen, tab.rename, tab.stamp], done, **QUEUED)
    renamed = [tab.chosen, tab.old_class, tab.new_class, tab.stamp]
    tab.new_class.submit(_class_renamer(service, tab), renamed, done, **QUEUED)
    asked = [tab.chosen, tab.delete, tab.stamp]
    tab.delete.click(_deleter(service, tab), asked, done, **QUEUED)
    share.wire(service, tab.share, tab.chosen, tab.stamp)
    share.wire_get(service, tab.get, _taken(service, tab), tab.stamp, done)


def _shown(tab: AdaptersTab) -> list:
    found = [tab.card, tab.loss, tab.accuracy, tab.command, tab.download, tab.again, tab.classify]
    return [*found, tab.rename, tab.old_class, tab.new_class, tab.own, tab.delete]


def _lister(service: Service):
    def entries():
        found = service.zoo.entries()
        return gr.Dataframe(table(found), visible=bool(found)), PICK if found else EMPTY

    return speaking(entries)


def table(entries: Sequence[ZooEntry]) -> pd.DataFrame:
    """One row per file, the unusable ones with the reason."""
    return pd.DataFrame([_row(e) for e in entries], columns=COLUMNS)


def data_of(card: AdapterCard) -> dict:
    """What the card's spec says of data, empty if nothing: the spec comes from a file and may be anything."""
    data = card.spec.get("data")
    return data if isinstance(data, dict) else {}


def _row(entry: ZooEntry) -> tuple:
    note = entry.refusal or ("shipped" if entry.shipped else "")
    card = entry.card
    size = text.size(entry.file_bytes)
    if card is None:
        return entry.id, "–", "–", "–", "–", size, "–", "–", "–", text.sentence(note)
    spec = data_of(card)
    scores = [
        text.percent(a) if a is not None else "–" for a in (card.val_accuracy, card.test_accuracy)
    ]
    known = str(spec.get("shots", "–")), str(spec.get("seed", "–"))
    return (
        entry.id,
        card.method,
        str(len(card.classes)),
        *known,
        size,
        *scores,
        card.backbone,
        text.sentence(note),
    )


def details(tab: AdaptersTab, service: Service, id: str) -> dict:
    """Updates that show one adapter, or hide the details when `id` is empty."""
    if not id:
        return {tab.chosen: "", tab.details: gr.Column(visible=False)}
    entry = next((e for e in service.zoo.entries() if e.id == id), None)
    if entry is None:
        raise BadValue(
            f"there is no adapter {id!r} any more.",
            "It may have been renamed or deleted elsewhere.",
        )
    found = {tab.chosen: id, tab.details: gr.Column(visible=True), tab.delete: DELETE}
    found |= {tab.own: gr.Column(visible=not entry.shipped), tab.rename: id, tab.new_class: ""}
    if entry.card is None:
        return found | _unreadable(tab, entry)
    usable = gr.Button(interactive=not entry.refusal)
    found |= {
        tab.card: describe(entry),
        tab.command: command(entry.card),
        tab.again: gr.Button(interactive=True),
    }
    found |= {
        tab.classify: usable,
        tab.download: gr.DownloadButton(value=offer(service.zoo.file(id))),
    }
    found[tab.old_class] = gr.Dropdown(list(entry.card.classes), value=entry.card.classes[0])
    return found | _curves(tab, entry.card)


def _unreadable(tab: AdaptersTab, entry: ZooEntry) -> dict:
    off = gr.Button(interactive=False)
    words = f"### {text.plain(entry.id)}\n**Cannot be used:** {text.plain(text.sentence(entry.refusal))}"
    found = {
        tab.card: words,
        tab.command: "",
        tab.again: off,
        tab.classify: off,
        tab.loss: None,
        tab.accuracy: None,
    }
    return found | {
        tab.download: gr.DownloadButton(value=None),
        tab.old_class: gr.Dropdown([], value=None),
    }


def _curves(tab: AdaptersTab, card: AdapterCard) -> dict:
    accuracy = [(step, 100 * value) for step, value in card.accuracy_curve]
    loss = charts.frame({charts.TRAIN: card.curve}) if card.curve else None
    return {
        tab.loss: loss,
        tab.accuracy: charts.frame({charts.VAL: accuracy}) if accuracy else None,
    }


def command(card: AdapterCard) -> str:
    """The command that makes this adapter again, empty if the card's spec does not hold up."""
    try:
        return card.command()
    except PeftDemoError:
        return ""


def describe(entry: ZooEntry) -> str:
    """Markdown: the card, every word of it as text."""
    card, data = entry.card, data_of(entry.card)
    refusal = (
        f"\n**Cannot be used here:** {text.plain(text.sentence(entry.refusal))}\n"
        if entry.refusal
        else ""
    )
    test = (
        f"{text.percent(card.test_accuracy)} of {card.test_images} images"
        if card.test_images
        else "not measured"
    )
    val = (
        f"{text.percent(card.val_accuracy)} of {card.val_images} images"
        if card.val_images
        else "not measured"
    )
    knobs = ", ".join(
        f"{k} = {', '.join(map(str, v)) if isinstance(v, list | tuple) else v}"
        for k, v in card.knobs.items()
    )
    rows = [
        ("Method", card.method),
        ("Knobs", knobs or "none"),
        ("Test accuracy", test),
        ("Validation accuracy", val),
    ]
    rows += [
        (
            "Data",
            f"{data.get('name', '?')}, {data.get('shots', '?')} shots, seed {data.get('seed', '?')}",
        )
    ]
    rows += [("Classes", ", ".join(card.classes))]
    rows += [("Parameters", f"{text.count(card.trainable)} + {text.count(card.head)} in the head")]
    rows += [
        ("Backbone", f"{card.backbone} at {card.size} px"),
        ("Fingerprint", f"sha256 {card.fingerprint[:12]}"),
    ]
    rows += [("File", text.size(entry.file_bytes)), ("Time", text.seconds(card.seconds))]
    rows += [("Made", card.created[:16].replace("T", " ") + " UTC" if card.created else "–")]
    return f"### {text.plain(entry.id)}\n{refusal}\n{text.table(rows)}"


def _chooser(service: Service, tab: AdaptersTab):
    def choose(event: gr.SelectData) -> dict:
        return details(tab, service, event.row_value[0])

    return speaking(choose)


def _importer(service: Service, tab: AdaptersTab):
    def take(file: str, stamp: int) -> dict:
        id = service.zoo.take(Path(file))
        gr.Info(f"Added as {html.escape(id)}.")
        return _taken(service, tab)(id, stamp) | {tab.drop: None}

    return speaking(take)


def _taken(service: Service, tab: AdaptersTab):
    def show(id: str, stamp: int) -> dict:
        return details(tab, service, id) | {tab.stamp: stamp + 1}

    return show


def _renamer(service: Service, tab: AdaptersTab):
    def rename(id: str, name: str, stamp: int) -> dict:
        return details(tab, service, service.zoo.rename(id, name.strip())) | {tab.stamp: stamp + 1}

    return speaking(rename)


def _class_renamer(service: Service, tab: AdaptersTab):
    def rename(id: str, old: str, new: str, stamp: int) -> dict:
        service.zoo.rename_class(id, old, " ".join(new.split()))
        return details(tab, service, id) | {tab.stamp: stamp + 1}

    return speaking(rename)


def _deleter(service: Service, tab: AdaptersTab):
    def delete(id: str, label: str, stamp: int) -> dict:
        if label != SURE:
            return {tab.delete: SURE}
        service.zoo.delete(id)
        gr.Info(f"{html.escape(id)} lies in the trash folder now.")
        return details(tab, service, "") | {tab.stamp: stamp + 1, tab.delete: DELETE}

    return speaking(delete)


def spec_of(service: Service, id: str) -> RunSpec:
    """The checked spec inside an adapter's card."""
    return RunSpec.from_json(service.zoo.card(id).spec)
