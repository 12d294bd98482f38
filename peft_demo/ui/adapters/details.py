"""One adapter: the card inside its file, its curves, and what can be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...contracts.accuracy import CHOSE, in_words
from ...contracts.adapter_card import AdapterCard
from ...contracts.cards import ZooEntry
from ...contracts.doubt import LEAST_IMAGES, LIMIT
from ...contracts.errors import BadValue, PeftDemoError, UnknownName
from ...contracts.service import Zoo
from .. import charts, text
from ..charts import Axes, Curve
from ..command import folded_command
from ..titles import Titles
from ..wiring import Part, Updates
from . import pictures, shelf, verify


@dataclass(frozen=True)
class Actions:
    classify: gr.Button
    again: gr.Button
    """Train one like this."""
    download: gr.Button
    verify: gr.Button
    verified: gr.Markdown
    """What came of it."""


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
    back: gr.Button
    """To the list."""
    pictures: gr.HTML
    card: gr.Markdown
    curves: gr.HTML
    command: gr.Code
    actions: Actions
    edit: Edit
    titles: Titles

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` may change."""
        actions = self.actions
        edit = self.edit
        return [
            self.chosen,
            self.column,
            self.pictures,
            self.card,
            self.curves,
            self.command,
            actions.classify,
            actions.again,
            actions.verify,
            edit.column,
            edit.name,
            edit.old_class,
            edit.new_class,
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
            self.pictures: pictures.place(entry, shelf.dataset_of(entry)),
            self.edit.column: gr.Column(visible=not entry.shipped),
            self.edit.name: id,
            self.edit.new_class: "",
        }
        if entry.card is None:
            return {**updates, **self._unreadable(entry)}
        return {**updates, **self._readable(entry, entry.card, zoo)}

    def _unreadable(self, entry: ZooEntry) -> Updates:
        reason = text.plain(text.sentence(entry.refusal))
        off = gr.Button(interactive=False)
        return {
            self.card: f"## {text.plain(entry.id)}\n**Cannot be used:** {reason}",
            self.curves: "",
            self.command: "",
            self.actions.again: off,
            self.actions.classify: off,
            self.actions.verify: off,
            self.edit.old_class: gr.Dropdown([], value=None),
        }

    def _readable(self, entry: ZooEntry, card: AdapterCard, zoo: Zoo) -> Updates:
        return {
            self.card: describe(entry, card, self.titles),
            self.curves: curves(card),
            self.command: command(card),
            self.actions.again: gr.Button(interactive=True),
            self.actions.classify: gr.Button(interactive=not entry.refusal),
            self.actions.verify: gr.Button(interactive=not entry.refusal),
            self.edit.old_class: gr.Dropdown(list(card.classes), value=card.classes[0]),
        }


def curves(card: AdapterCard) -> str:
    """SVG: how the adapter learned, as far as its card tells."""
    accuracy = [(step, 100 * value) for step, value in card.accuracy_curve]
    drawings = []
    if card.curve:
        drawings.append(charts.draw("Loss", [Curve("training", card.curve)]))
    if accuracy:
        curve = Curve("validation", accuracy, marked=True, colour=1)
        images = f" of {text.plural(card.val_images, 'image')}" if card.val_images else ""
        title = f"Validation accuracy, %{images}"
        drawings.append(charts.draw(title, [curve], Axes(low=0, high=100)))
    return "".join(drawings)


def build(column: gr.Column, titles: Titles) -> Details:
    """Draws the details into the open context, inside of `column`, which is hidden while there are
    none.
    """
    back = gr.Button("← All adapters", size="sm", scale=0, elem_id="back")
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            drawn = gr.HTML("", padding=False, elem_id="card-four")
            card = gr.Markdown("", elem_id="card")
        with gr.Column(scale=3, min_width=300):
            actions = _actions()
            learned = gr.HTML("", padding=False, elem_id="card-curves")
    edit = _edit()
    command = folded_command("Train it again from the command line")
    return Details(gr.State(""), column, back, drawn, card, learned, command, actions, edit, titles)


def _actions() -> Actions:
    with gr.Row():
        classify = gr.Button(
            "Classify with this adapter", variant="primary", size="md", scale=0, min_width=230
        )
        download = gr.Button("Download", size="md", scale=0, min_width=110, elem_id="download")
        again = gr.Button("Train one like this", size="md", scale=0, min_width=170)
        verifies, verified = verify.build()
    verified.render()
    return Actions(classify, again, download, verifies, verified)


def _edit() -> Edit:
    with (
        gr.Column(visible=False) as column,
        gr.Accordion("Rename or delete", open=False, elem_id="edit"),
    ):
        with gr.Row():
            name = gr.Textbox(label="Name", max_length=60, submit_btn="Rename", elem_id="rename")
            old_class = gr.Dropdown([], value=None, label="Class")
            new_class = gr.Textbox(
                label="New name of the class",
                max_length=100,
                submit_btn="Rename",
                elem_id="rename-class",
            )
        delete = gr.Button(
            "Delete", variant="stop", size="sm", scale=0, min_width=160, elem_id="delete"
        )
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


def describe(entry: ZooEntry, card: AdapterCard, titles: Titles) -> str:
    """Markdown: the card in plain words, every word of it as text."""
    refusal = ""
    if entry.refusal:
        reason = text.plain(text.sentence(entry.refusal))
        refusal = f"\n**Cannot be used here:** {reason}\n"
    made = card.created[:16].replace("T", " ")
    rows = [
        ("Right on test images", in_words(card.test_accuracy, card.test_images)),
        ("Right on validation images", _validated(card)),
        ("Other things", none_of_its_classes(card)),
        ("Learned from", _data(card)),
        *([("Went on from", card.origin)] if card.origin else []),
        (f"Its {text.plural(len(card.classes), 'class')}", ", ".join(card.classes)),
        ("Method", titles.get(card.method, card.method)),
        ("Settings of the method", _knobs(card.knobs)),
        *([("How they were chosen", card.tuned)] if card.tuned else []),
        (
            "Trained numbers",
            f"{text.count(card.trainable)}, and {text.count(card.head)} in the head",
        ),
        ("Stands on", f"{card.backbone}, images of {card.size} × {card.size} px"),
        ("Source checkpoint of that", f"sha256 {card.fingerprint[:12]}"),
        ("File", text.size(entry.file_bytes)),
        ("Training took", text.seconds(card.seconds) if card.seconds else "–"),
        ("Made", f"{made} UTC" if made else "–"),
    ]
    return f"## {text.plain(entry.id)}\n{refusal}\n{text.table(rows)}"


def _validated(card: AdapterCard) -> str:
    """36 of 40 right, 77 to 96 %; took part in choosing"""
    words = in_words(card.val_accuracy, card.val_images)
    measured = card.val_accuracy is not None
    return f"{words}; {CHOSE}" if measured and card.validation_chose else words


def none_of_its_classes(card: AdapterCard) -> str:
    """What it says of a picture that shows something else."""
    if card.doubt:
        share = round(100 * (1 - LIMIT))
        return f"called none of these, and about {share} in 100 pictures of its classes with them"
    if card.val_images < LEAST_IMAGES:
        return f"taken for one of its classes: to tell them takes {LEAST_IMAGES} validation images"
    return "taken for one of its classes: the file does not say how far those reach"


def _knobs(knobs: Mapping[str, Any]) -> str:
    parts = []
    for name, value in knobs.items():
        several = isinstance(value, list | tuple)
        shown = ", ".join(map(str, value)) if several else value
        parts.append(f"{name} = {shown}")
    return ", ".join(parts) or "none"


def _data(card: AdapterCard) -> str:
    data = card.data
    if data is None:
        return "the file does not say"
    return f"{data.name}, up to {data.shots} images of each class, seed {data.seed}"
