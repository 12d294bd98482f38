"""Several adapters at once: download, compare, delete, and have them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import gradio as gr

from ...contracts.cards import ZooEntry
from ...contracts.errors import BadValue
from ...contracts.service import Zoo
from .. import text
from ..files import offer
from ..toasts import speaking
from ..wiring import QUEUED, Part, Updates
from . import delivery, trash

CHOOSE_NONE = """() => {
  const boxes = document.querySelectorAll("#adapters [data-tick]:checked")
  for (const box of boxes) box.checked = false
  const list = document.querySelector("#adapters [data-tick]")
  if (list) list.dispatchEvent(new Event("change", {bubbles: true}))
}"""

UndoLine = tuple[gr.Row, gr.Markdown, gr.Button, gr.Button]
"""The line, its words, Undo and Dismiss."""


@dataclass(frozen=True)
class Selection:
    ticked: gr.State
    """Ids of the adapters that are ticked."""
    bar: gr.Row
    count: gr.Markdown
    compare: gr.Button
    together: gr.Button
    download: gr.Button
    delete: gr.Button
    clear: gr.Button
    undo_line: gr.Row
    deleted: gr.Markdown
    undo: gr.Button
    dismiss: gr.Button
    gone: gr.State
    """Names in the trash of those that were deleted last."""

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` changes."""
        return [self.ticked, self.bar, self.count, self.together]

    @property
    def undone(self) -> list[Part]:
        """Everything that `offer_undo` changes."""
        return [self.undo_line, self.deleted, self.gone]

    def show(self, ids: Sequence[str], entries: Sequence[ZooEntry]) -> Updates:
        """Updates for these adapters being ticked, of the `entries` that there are."""
        sizes = {entry.id: entry.file_bytes for entry in entries}
        ids = tuple(id for id in ids if id in sizes)
        size = text.size(sum(sizes[id] for id in ids))
        return {
            self.ticked: ids,
            self.bar: gr.Row(visible=bool(ids)),
            self.count: f"**{text.count(len(ids))} chosen** · {size}",
            self.together: gr.Button(interactive=len(ids) > 1),
        }

    def offer_undo(self, names: Sequence[str]) -> Updates:
        """Updates that offer to bring these back from the trash."""
        many = "lies" if len(names) == 1 else "lie"
        words = f"{text.plural(len(names), 'adapter')} {many} in the trash now."
        return {
            self.undo_line: gr.Row(visible=bool(names)),
            self.deleted: words,
            self.gone: tuple(names),
        }


def build_undo() -> UndoLine:
    """The line that offers to undo, drawn into the open context."""
    with gr.Row(visible=False, elem_id="undo-line") as line:
        words = gr.Markdown("", elem_id="deleted")
        undo = gr.Button("Undo", size="sm", scale=0, min_width=90, elem_id="undo")
        dismiss = gr.Button("Dismiss", size="sm", scale=0, min_width=90)
    return line, words, undo, dismiss


def build(undo: UndoLine) -> Selection:
    """Draws the bar of what can be done with the ticked ones into the open context."""
    with gr.Row(visible=False, elem_id="chosen") as bar:
        count = gr.Markdown("", elem_id="count")
        compare = _button("Compare", "compare", "primary")
        together = _button("Together", "together")
        download = _button("Download", "download-chosen")
        delete = _button("Delete", "delete-chosen")
        clear = _button("Choose none", "choose-none")
    return Selection(
        gr.State(()), bar, count, compare, together, download, delete, clear, *undo, gr.State(())
    )


def _button(
    words: str, elem_id: str, variant: Literal["primary", "secondary"] = "secondary"
) -> gr.Button:
    return gr.Button(words, variant=variant, size="sm", scale=0, min_width=100, elem_id=elem_id)


def connect(
    part: Selection, listing: gr.HTML, file: gr.DownloadButton, zoo_changed: gr.State, zoo: Zoo
) -> None:
    """Connects the events that need nothing but the ticked ones."""
    listing.input(
        ticker(part, zoo), None, [*part.outputs, *part.undone], trigger_mode="multiple", **QUEUED
    )
    delivery.then_save(part.download.click(downloader(zoo), part.ticked, file, **QUEUED), file)
    part.clear.click(None, None, None, js=CHOOSE_NONE, **QUEUED)
    part.dismiss.click(speaking(lambda: part.offer_undo(())), None, part.undone, **QUEUED)
    changed = [*part.undone, zoo_changed]
    part.delete.click(
        deleter(part, zoo_changed, zoo), [part.ticked, zoo_changed], changed, **QUEUED
    )
    part.undo.click(undoer(part, zoo_changed, zoo), [part.gone, zoo_changed], changed, **QUEUED)


def ticker(part: Selection, zoo: Zoo):
    """The handler of a change of ticks; the browser may send anything."""

    @speaking
    def tick(event: gr.EventData) -> Updates:
        ids = event._data.get("ticked") if isinstance(event._data, dict) else None
        words = [id for id in ids if isinstance(id, str)] if isinstance(ids, list) else []
        return {**part.show(words, zoo.entries()), **part.offer_undo(())}

    return tick


def downloader(zoo: Zoo):
    """The handler that makes one file of the ticked adapters: the adapter, or a zip of several."""

    @speaking
    def download(ids: Sequence[str]) -> str:
        files = {f"{id}.safetensors": zoo.file(id) for id in ids}
        if not files:
            raise BadValue("no adapter is ticked.", "Tick those you want.")
        if len(files) == 1:
            return offer(next(iter(files.values())))
        with delivery.workplace() as folder:
            return offer(delivery.write_zip(folder / "adapters.zip", files))

    return download


def deleter(part: Selection, zoo_changed: gr.State, zoo: Zoo):
    """The handler that moves the ticked adapters to the trash; what cannot go says why."""

    @speaking
    def delete(ids: Sequence[str], counter: int) -> Updates:
        names = [name for _, name in trash.each(ids, zoo.delete)]
        return {**part.offer_undo(names), zoo_changed: counter + 1}

    return delete


def undoer(part: Selection, zoo_changed: gr.State, zoo: Zoo):
    """The handler that brings back what was deleted last."""

    @speaking
    def undo(names: Sequence[str], counter: int) -> Updates:
        trash.restore(names, zoo)
        return {**part.offer_undo(()), zoo_changed: counter + 1}

    return undo
