"""What the tab Adapters is made of."""

from dataclasses import dataclass

import gradio as gr

from ...contracts.service import Zoo
from ..titles import Titles
from ..wiring import Part, Updates
from .add import Add
from .changed import Changed
from .details import Details
from .filters import Filters
from .selection import Selection
from .share import Share
from .trash import TrashPart


@dataclass(frozen=True)
class AdaptersTab:
    list_column: gr.Column
    lead: gr.Markdown
    add: Add
    filters: Filters
    scatter: gr.HTML
    listing: gr.HTML
    selection: Selection
    trash: TrashPart
    details: Details
    changed: Changed
    share: Share
    titles: Titles

    @property
    def listed(self) -> list[Part]:
        """Everything that a new list changes."""
        filters = self.filters
        parts: list[Part] = [self.lead, filters.dataset, filters.method, self.scatter, self.listing]
        return [*parts, *self.selection.outputs, *self.trash.outputs]

    @property
    def opened(self) -> list[Part]:
        """Everything that opening an adapter changes."""
        return [self.list_column, *self.details.outputs, *self.changed.outputs]

    def open(self, id: str, zoo: Zoo) -> Updates:
        """Updates that show one adapter instead of the list."""
        shown = {**self.details.show(id, zoo), **self.changed.hide()}
        return {**shown, self.list_column: gr.Column(visible=False)}

    def close(self) -> Updates:
        """Updates that show the list again."""
        return {**self.details.hide(), self.list_column: gr.Column(visible=True)}
