"""What a person does with runs: start, stop and go on, change the line, and keep the list in
order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...contracts.cards import RunCard
from ...contracts.service import Training
from .. import text
from ..session import valid_id
from ..toasts import speaking, toast
from ..wiring import Part, Updates, Values
from . import pressed
from .form import RunForm
from .run_list import name_of, place_in_words
from .run_view import Deleted, RunView


@dataclass(frozen=True)
class RunActions:
    """Handlers of the buttons of one page."""

    view: RunView
    form: RunForm
    client: gr.BrowserState
    training: Training

    def start(self):
        """The handler of Start: the page goes to the new run with the refresh that follows, which
        alone writes what is shown of a run. A run that has to wait leaves the page as it is.
        """

        @speaking
        def start(values: Values) -> str | Any:
            owner = valid_id(values[self.client])
            run = self.training.start(self.form.spec(values), owner=owner)
            return self._chosen_now(run)

        return start

    def resume(self):
        """The handler of Go on: the interrupted run that is shown goes on."""

        @speaking
        def resume(values: Values) -> str | Any:
            interrupted = values[self.view.interrupted]
            run = self.training.resume(interrupted, owner=valid_id(values[self.client]))
            return self._chosen_now(run)

        return resume

    def _chosen_now(self, run: str) -> str | Any:
        """ "", which follows the newest run, once `run` is that."""
        card = self.training.run(run)
        if card.place:
            toast("info", f"{name_of(card)} is {place_in_words(card.place)} and begins by itself")
            return gr.skip()
        return ""

    def stop(self):
        """The handler of Stop: the run in progress ends."""

        @speaking
        def stop(client: str) -> None:
            status = self.training.status()
            if status.busy:
                self.training.stop(status.run, owner=valid_id(client))

        return stop

    def change_line(self):
        """The handler of the buttons of the runs that wait."""

        @speaking
        def change(client: str, event: gr.SelectData) -> None:
            owner = valid_id(client)
            match pressed.read(event):
                case "up", run:
                    self.training.move(run, -1, owner)
                case "down", run:
                    self.training.move(run, 1, owner)
                case "cancel", run:
                    self.training.stop(run, owner)

        return change

    @property
    def listed(self) -> list[Part]:
        """What `change_list` and the handlers of what it opens change."""
        runs = self.view.runs
        rename = runs.rename
        undo = runs.undo
        return [
            runs.chosen,
            runs.compare,
            rename.row,
            rename.title,
            rename.run,
            undo.row,
            undo.words,
            undo.deleted,
        ]

    def change_list(self):
        """The handler of the buttons in the list of runs."""

        @speaking
        def change(compare: Sequence[str], event: gr.SelectData) -> Updates | Any:
            act, id = pressed.read(event)
            card = self.training.run(id)
            match act:
                case "show":
                    return self._show(card)
                case "compare":
                    return {self.view.runs.compare: _toggled(compare, card.id)}
                case "rename":
                    return self._ask_title(card)
                case "delete":
                    return self._delete(card)
            return gr.skip()

        return change

    def _show(self, run: RunCard) -> Updates:
        """The newest run is followed from now on, an older one stays."""
        runs = self.view.runs
        newest = run.id == self.training.status().run
        return {runs.chosen: "" if newest else run.id, runs.rename.row: gr.Row(visible=False)}

    def _ask_title(self, run: RunCard) -> Updates:
        rename = self.view.runs.rename
        return {
            rename.row: gr.Row(visible=True),
            rename.title: gr.Textbox(run.title, label=f"Title of {name_of(run)}"),
            rename.run: run.id,
        }

    def _delete(self, run: RunCard) -> Updates:
        runs = self.view.runs
        deleted = Deleted(self.training.delete_run(run.id), name_of(run))
        return {
            runs.chosen: "",
            runs.rename.row: gr.Row(visible=False),
            runs.undo.row: gr.Row(visible=True),
            runs.undo.words: f"Deleted **{text.plain(deleted.name)}**. Its adapter stays.",
            runs.undo.deleted: deleted,
        }

    def rename(self):
        """The handler of the field with a run's title."""

        @speaking
        def rename(run: str, title: str) -> Updates:
            self.training.rename_run(run, title)
            return {self.view.runs.rename.row: gr.Row(visible=False)}

        return rename

    def undo(self):
        """The handler of Undo: the run that was deleted last comes back, and is shown."""

        @speaking
        def undo(deleted: Deleted) -> Updates:
            runs = self.view.runs
            run = self.training.restore_run(deleted.key)
            newest = run == self.training.status().run
            return {
                runs.chosen: "" if newest else run,
                runs.undo.row: gr.Row(visible=False),
                runs.undo.deleted: None,
            }

        return undo


def _toggled(compare: Sequence[str], run: str) -> list[str]:
    """The runs to compare with, `run` in or out."""
    others = [other for other in compare if other != run]
    return others if run in compare else [*others, run]
