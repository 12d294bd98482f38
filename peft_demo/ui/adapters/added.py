"""What the page does when an adapter has been added or changed: it shows it and lists all anew."""

from dataclasses import dataclass

import gradio as gr

from ...contracts.service import Zoo
from ..wiring import Part, Updates
from .details import Details


@dataclass(frozen=True)
class Added:
    details: Details
    zoo_changed: gr.State
    zoo: Zoo

    @property
    def outputs(self) -> list[Part]:
        return [*self.details.outputs, self.zoo_changed]

    def show(self, id: str, counter: int) -> Updates:
        """Updates that show this adapter, or none where `id` is ""; `counter` is the value of
        `zoo_changed`.
        """
        updates = self.details.show(id, self.zoo) if id else self.details.hide()
        return {**updates, self.zoo_changed: counter + 1}
