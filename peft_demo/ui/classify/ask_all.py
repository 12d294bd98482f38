"""Ask every adapter about one image: those that mix answer in one forward pass. A click on a row
chooses one.
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
import pandas as pd

from ...contracts.cards import Prediction
from ...contracts.errors import BadValue
from ...contracts.service import Answers, Zoo
from .. import text
from ..toasts import speaking
from ..wiring import ON_DEVICE, QUEUED, UNQUEUED
from .usable import ready

COLUMNS = ["Adapter", "Answer", "Sure", "Time"]


def build() -> gr.Dataframe:
    """Draws the table, hidden until somebody asks."""
    return gr.Dataframe(
        headers=COLUMNS,
        interactive=False,
        visible=False,
        max_height=360,
        label="Every adapter",
        buttons=[],
        elem_id="every",
    )


def connect(
    button: gr.Button,
    image: gr.Image,
    rows: gr.Dataframe,
    adapter: gr.Dropdown,
    zoo: Zoo,
    answers: Answers,
) -> None:
    """Connects the button to the table and the table's rows to the choice of an adapter."""
    button.click(_ask(zoo, answers), image, rows, **ON_DEVICE)
    rows.select(_choose, None, adapter, **QUEUED)
    image.change(_hide, None, rows, **UNQUEUED)


def _ask(zoo: Zoo, answers: Answers):
    @speaking
    def ask(image: str | None) -> gr.Dataframe:
        ids = [entry.id for entry in ready(zoo)]
        if not image or not ids:
            raise BadValue("an image and an adapter are needed.", "Drop an image first.")
        images = [Path(image)] * len(ids)
        return gr.Dataframe(table(answers.predict(images, ids, 1)), visible=True)

    return ask


def table(predictions: Sequence[Prediction]) -> pd.DataFrame:
    """One row for each adapter, in the order they were asked."""
    return pd.DataFrame([_row(prediction) for prediction in predictions], columns=COLUMNS)


def _row(prediction: Prediction) -> tuple[str, str, str, str]:
    if prediction.refusal:
        return prediction.adapter, text.sentence(prediction.refusal), "", ""
    probability = f"{100 * prediction.probability:.0f} %"
    return prediction.adapter, prediction.label, probability, text.milliseconds(prediction.ms)


def _choose(event: gr.SelectData) -> str:
    return event.row_value[0]


def _hide() -> gr.Dataframe:
    return gr.Dataframe(visible=False)
