"""The trash: what lies in it, and the ways out of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import ZooEntry
from ...contracts.errors import BadValue, PeftDemoError
from ...contracts.service import Zoo
from .. import text
from ..toasts import speaking, toast
from ..wiring import QUEUED, Part, Updates

EMPTY_IT = "Empty the trash"
SURE = "Really delete all for good?"


@dataclass(frozen=True)
class TrashPart:
    box: gr.Accordion
    """Shown only while something lies in the trash."""
    names: gr.CheckboxGroup
    restore: gr.Button
    empty: gr.Button

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` changes."""
        return [self.box, self.names, self.empty]

    def show(self, entries: Sequence[ZooEntry]) -> Updates:
        """Updates that list what lies there."""
        choices = [(f"{entry.id} · {text.size(entry.file_bytes)}", entry.id) for entry in entries]
        return {
            self.box: gr.Accordion(f"Trash · {len(entries)}", visible=bool(entries)),
            self.names: gr.CheckboxGroup(choices, value=[]),
            self.empty: EMPTY_IT,
        }


def build() -> TrashPart:
    """Draws the hidden part into the open context."""
    with gr.Accordion("Trash", open=False, visible=False, elem_id="trash") as box:
        names = gr.CheckboxGroup([], show_label=False, label="In the trash", elem_id="in-trash")
        with gr.Row():
            restore = gr.Button("Put back", size="sm", scale=0, min_width=120, elem_id="restore")
            empty = gr.Button(EMPTY_IT, size="sm", scale=0, min_width=220, elem_id="empty-trash")
    return TrashPart(box, names, restore, empty)


def connect(part: TrashPart, zoo_changed: gr.State, zoo: Zoo) -> None:
    """Connects the events."""
    part.restore.click(
        restorer(zoo_changed, zoo), [part.names, zoo_changed], [zoo_changed], **QUEUED
    )
    part.empty.click(
        emptier(part, zoo_changed, zoo),
        [part.empty, zoo_changed],
        [*part.outputs, zoo_changed],
        **QUEUED,
    )


def restorer(zoo_changed: gr.State, zoo: Zoo):
    """The handler that puts the ticked ones back."""

    @speaking
    def put_back(names: list[str], counter: int) -> Updates:
        if not names:
            raise BadValue("no adapter in the trash is ticked.", "Tick those you want back.")
        restore(names, zoo)
        return {zoo_changed: counter + 1}

    return put_back


def emptier(part: TrashPart, zoo_changed: gr.State, zoo: Zoo):
    """The handler that deletes for good: the first click asks, the second one deletes."""

    @speaking
    def empty(label: str, counter: int) -> Updates:
        if label != SURE:
            return {part.empty: SURE}
        count = zoo.empty_trash()
        toast("info", f"{text.plural(count, 'adapter')} deleted for good")
        return {**part.show(zoo.trash()), zoo_changed: counter + 1}

    return empty


def restore(names: Sequence[str], zoo: Zoo) -> None:
    """Puts these back from the trash, and says which of them are called otherwise now."""
    for name, id in each(names, zoo.restore):
        if id != name:
            toast("info", f"Put back as {id}, as there is another {name} by now")


def each(words: Sequence[str], do: Callable[[str], str]) -> list[tuple[str, str]]:
    """(word, what `do` gave for it) of those that did not fail; why the others did is a toast."""
    results = []
    for word in words:
        try:
            results.append((word, do(word)))
        except PeftDemoError as error:
            toast("warning", str(error))
    return results
