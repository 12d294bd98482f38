"""Ask every adapter about one image: those that mix answer in one forward pass. A click on a row chooses one."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
import pandas as pd

from ..contracts.cards import Prediction
from ..contracts.errors import BadValue
from ..contracts.service import Service
from . import text
from .speak import HEARD, speaking

COLUMNS = ["Adapter", "Answer", "Sure", "Time"]


def build() -> gr.Dataframe:
    """Draws the table, hidden until somebody asks."""
    return gr.Dataframe(
        headers=COLUMNS, interactive=False, visible=False, max_height=360, elem_id="every", label="Every adapter",
        buttons=[],
    )  # fmt: skip


def wire(
    service: Service, button: gr.Button, image: gr.Image, rows: gr.Dataframe, adapter: gr.Dropdown, usable
) -> None:
    """Connects the button to the table and the table's rows to the choice of an adapter."""
    busy = {"concurrency_id": "gpu", "concurrency_limit": 1, "show_progress": "minimal"}
    button.click(_asker(service, usable), image, rows, **HEARD | busy)
    rows.select(_chooser(), rows, adapter, **HEARD)
    gr.on([image.input, image.upload, image.clear], lambda: gr.Dataframe(visible=False), None, rows, **HEARD)


def _asker(service: Service, usable):
    def ask(image: str | None):
        ids = usable(service)
        if not image or not ids:
            raise BadValue("an image and an adapter are needed.", "Drop an image first.")
        return gr.Dataframe(table(service.predict([Path(image)] * len(ids), ids, 1)), visible=True)

    return speaking(ask)


def table(given: Sequence[Prediction]) -> pd.DataFrame:
    """One row for each answer, as they were given."""
    rows = [(s.adapter, s.label, f"{100 * s.probability:.0f} %", text.milliseconds(s.ms)) for s in given]
    return pd.DataFrame(rows, columns=COLUMNS)


def _chooser():
    def choose(rows: pd.DataFrame, event: gr.SelectData):
        return event.row_value[0]

    return speaking(choose)
