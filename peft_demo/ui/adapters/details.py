"""One adapter: the card inside its file, its curves, and what can be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...contracts.accuracy import in_words
from ...contracts.adapter_card import AdapterCard
from ...contracts.cards import ZooEntry
from ...contracts.errors import BadValue, PeftDemoError, UnknownName
from ...contracts.service import Zoo
from .. import charts, text
from ..files import offer
from ..wiring import Part, Updates
from .table import data_of

DELETE = "Delete"
PICK = "Choose a row to see the card inside the file."


@dataclass(frozen=True)
class Actions:
    classify: gr.Button
    again: gr.Button
    """Train one like this."""
    download: gr.DownloadButton


@dataclass(frozen=True)
class Edit:
    """What can be changed of an adapter of one's own."""

    column: gr.Column
    name: gr.Textbox
    old_class: gr.Dropdown
    new_class: gr.Textbox
    delete: gr.Button


@dataclass(frozen=True)
class Details:
    chosen: gr.State
    """Id of the adapter that is shown, "" for none."""
    column: gr.Column
    card: gr.Markdown
    loss: gr.LinePlot
    accuracy: gr.LinePlot
    command: gr.Code
    actions: Actions
    edit: Edit

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` may change."""
        actions = self.actions
        edit = self.edit
        return [
            self.chosen,
            self.column,
            self.card,
            self.loss,
            self.accuracy,
            self.command,
            actions.classify,
            actions.again,
            actions.download,
            edit.column,
            edit.name,
            edit.old_class,
            edit.new_class,
            edit.delete,
        ]

    def hide(self) -> Updates:
        """Updates that show no adapter."""
        return {self.chosen: "", self.column: gr.Column(visible=False)}

    def show(self, id: str, zoo: Zoo) -> Updates:
        """Updates that show one adapter; `BadValue` if it is there no longer."""
        entry = _entry(zoo, id)
        updates: Updates = {
            self.chosen: id,
            self.column: gr.Column(visible=True),
            self.edit.column: gr.Column(visible=not entry.shipped),
            self.edit.name: id,
            self.edit.new_class: "",
            self.edit.delete: DELETE,
        }
        if entry.card is None:
            return {**updates, **self._unreadable(entry)}
        return {**updates, **self._readable(entry, entry.card, zoo)}

    def _unreadable(self, entry: ZooEntry) -> Updates:
        reason = text.plain(text.sentence(entry.refusal))
        off = gr.Button(interactive=False)
        return {
            self.card: f"## {text.plain(entry.id)}\n**Cannot be used:** {reason}",
            self.loss: None,
            self.accuracy: None,
            self.command: "",
            self.actions.again: off,
            self.actions.classify: off,
            self.actions.download: gr.DownloadButton(value=None),
            self.edit.old_class: gr.Dropdown([], value=None),
        }

    def _readable(self, entry: ZooEntry, card: AdapterCard, zoo: Zoo) -> Updates:
        accuracy = [(step, 100 * value) for step, value in card.accuracy_curve]
        return {
            self.card: describe(entry, card),
            self.loss: charts.frame({charts.TRAIN: card.curve}) if card.curve else None,
            self.accuracy: charts.frame({charts.VAL: accuracy}) if accuracy else None,
            self.command: command(card),
            self.actions.again: gr.Button(interactive=True),
            self.actions.classify: gr.Button(interactive=not entry.refusal),
            self.actions.download: gr.DownloadButton(value=offer(zoo.file(entry.id))),
            self.edit.old_class: gr.Dropdown(list(card.classes), value=card.classes[0]),
        }


def build(column: gr.Column) -> Details:
    """Draws the details into the open context, inside of `column`, which is hidden while there are
    none.
    """
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            card = gr.Markdown(PICK, elem_id="card")
        with gr.Column(scale=3, min_width=320):
            loss = charts.plot("Training loss", [charts.TRAIN], height=190)
            accuracy = charts.plot("Validation accuracy, %", [charts.VAL], height=190)
        with gr.Column(scale=2, min_width=260):
            actions = _actions()
            edit = _edit()
    with gr.Accordion("Reproduce it", open=False):
        command = gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
        )
    return Details(gr.State(""), column, card, loss, accuracy, command, actions, edit)


def _actions() -> Actions:
    return Actions(
        classify=gr.Button("Classify with it", variant="primary"),
        again=gr.Button("Train one like this"),
        download=gr.DownloadButton("Download", elem_id="download"),
    )


def _edit() -> Edit:
    with gr.Column(visible=False) as column:
        name = gr.Textbox(label="Name", max_length=60, submit_btn="Rename", elem_id="rename")
        old_class = gr.Dropdown([], value=None, label="Class")
        new_class = gr.Textbox(
            label="New name of the class",
            max_length=100,
            submit_btn="Rename",
            elem_id="rename-class",
        )
        delete = gr.Button(DELETE, variant="stop", size="sm", elem_id="delete")
    return Edit(column, name, old_class, new_class, delete)


def _entry(zoo: Zoo, id: str) -> ZooEntry:
    try:
        return zoo.entry(id)
    except UnknownName:
        raise BadValue(
            f"there is no adapter {id!r} any more.",
            "It may have been renamed or deleted elsewhere.",
        ) from None


def command(card: AdapterCard) -> str:
    """The command that makes this adapter again, empty if the card's spec does not hold up."""
    try:
        return card.command()
    except PeftDemoError:
        return ""


def describe(entry: ZooEntry, card: AdapterCard) -> str:
    """Markdown: the card, every word of it as text."""
    refusal = ""
    if entry.refusal:
        reason = text.plain(text.sentence(entry.refusal))
        refusal = f"\n**Cannot be used here:** {reason}\n"
    made = card.created[:16].replace("T", " ")
    rows = [
        ("Method", card.method),
        ("Knobs", _knobs(card.knobs)),
        *([("Settings", card.tuned)] if card.tuned else []),
        ("Test accuracy", in_words(card.test_accuracy, card.test_images)),
        ("Validation accuracy", in_words(card.val_accuracy, card.val_images)),
        ("Data", _data(card)),
        *([("Went on from", card.origin)] if card.origin else []),
        ("Classes", ", ".join(card.classes)),
        ("Parameters", f"{text.count(card.trainable)} + {text.count(card.head)} in the head"),
        ("Backbone", f"{card.backbone} at {card.size} px"),
        ("Fingerprint", f"sha256 {card.fingerprint[:12]}"),
        ("File", text.size(entry.file_bytes)),
        ("Time", text.seconds(card.seconds)),
        ("Made", f"{made} UTC" if made else "–"),
    ]
    return f"## {text.plain(entry.id)}\n{refusal}\n{text.table(rows)}"


def _knobs(knobs: Mapping[str, Any]) -> str:
    parts = []
    for name, value in knobs.items():
        several = isinstance(value, list | tuple)
        shown = ", ".join(map(str, value)) if several else value
        parts.append(f"{name} = {shown}")
    return ", ".join(parts) or "none"


def _data(card: AdapterCard) -> str:
    data = data_of(card)
    name = data.get("name", "?")
    return f"{name}, {data.get('shots', '?')} shots, seed {data.get('seed', '?')}"
