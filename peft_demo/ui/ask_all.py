"""Ask every adapter about one image: those that mix answer in one forward pass. A click on a row chooses one."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
import pandas as pd

from ..contracts.cards import Prediction
from ..contracts.errors import BadValue
from ..contracts.service import Service
from . import text
from .toasts import QUEUED, UNQUEUED, speaking

COLUMNS = ["Adapter", "Answer", "Sure", "Time"]


def build() -> gr.Dataframe:
    """Draws the table, hidden until somebody asks."""
    return gr.Dataframe(
        headers=COLUMNS, interactive=False, visible=False, max_height=360, elem_id="every", label="Every adapter",
        buttons=[],
    )  # fmt: skip


def wire(
    service: Service, button: gr.Button, image: gr.Image, rows: gr.Dataframe, adapter: gr.Dropdown
) -> None:
    """Connects the button to the table and the table's rows to the choice of an adapter."""
    busy = {"concurrency_id": "gpu", "concurrency_limit": 1, "show_progress": "minimal"}
    button.click(_asker(service), image, rows, **QUEUED | busy)
    rows.select(_chooser(), None, adapter, **QUEUED)
    image.change(lambda: gr.Dataframe(visible=False), None, rows, **UNQUEUED)


def _asker(service: Service):
    def ask(image: str | None):
        ids = ready(service)
        if not image or not ids:
            raise BadValue("an image and an adapter are needed.", "Drop an image first.")
        return gr.Dataframe(
            table(service.answers.predict([Path(image)] * len(ids), ids, 1)), visible=True
        )

    return speaking(ask)


def ready(service: Service) -> list[str]:
    """Ids of the adapters that can answer at once: their backbone is on this machine."""
    here = {b.fingerprint for b in service.zoo.backbones() if b.ready}
    return [
        e.id
        for e in service.zoo.entries()
        if e.card and not e.refusal and e.card.fingerprint in here
    ]


def table(given: Sequence[Prediction]) -> pd.DataFrame:
    """One row for each adapter, in the order they were asked."""
    return pd.DataFrame(map(_row, given), columns=COLUMNS)


def _row(said: Prediction) -> tuple[str, str, str, str]:
    if said.refusal:
        return said.adapter, text.sentence(said.refusal), "", ""
    return said.adapter, said.label, f"{100 * said.probability:.0f} %", text.milliseconds(said.ms)


def _chooser():
    def choose(event: gr.SelectData):
        return event.row_value[0]

    return speaking(choose)
