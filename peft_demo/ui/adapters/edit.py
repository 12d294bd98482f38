"""Changes to the adapter that is open: another name, another name of a class, to the trash."""

from collections.abc import Collection

import gradio as gr

from ...contracts.service import Zoo
from ..toasts import speaking, toast
from ..wiring import Updates
from .tab import AdaptersTab


def renamer(adapters_tab: AdaptersTab, changed: gr.State, zoo: Zoo):
    """The handler that renames, and says so where the name is not the one that was typed."""

    @speaking
    def rename(id: str, name: str, counter: int) -> Updates:
        taken = {entry.id for entry in zoo.entries()} - {id}
        name = name.strip()
        new_id = zoo.rename(id, name)
        if new_id != name:
            toast("info", why_renamed(name, new_id, taken))
        return {**adapters_tab.open(new_id, zoo), changed: counter + 1}

    return rename


def why_renamed(typed: str, id: str, taken: Collection[str]) -> str:
    """A sentence: what an adapter is called instead of what was typed, and why."""
    wanted, _, number = id.rpartition("-")
    if number.isdecimal() and wanted in taken:
        return f"It is called {id}, as there is another {wanted} already"
    return f"It is called {id}: names are small letters, digits and hyphens"


def class_renamer(adapters_tab: AdaptersTab, changed: gr.State, zoo: Zoo):
    """The handler that renames a class."""

    @speaking
    def rename(id: str, old: str, new: str, counter: int) -> Updates:
        zoo.rename_class(id, old, " ".join(new.split()))
        return {**adapters_tab.open(id, zoo), changed: counter + 1}

    return rename


def deleter(adapters_tab: AdaptersTab, changed: gr.State, zoo: Zoo):
    """The handler that moves the open adapter to the trash, and offers to undo that in the list."""

    @speaking
    def delete(id: str, counter: int) -> Updates:
        name = zoo.delete(id)
        undo = adapters_tab.selection.offer_undo([name])
        return {**adapters_tab.close(), **undo, changed: counter + 1}

    return delete
