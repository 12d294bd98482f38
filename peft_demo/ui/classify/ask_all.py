"""Ask every adapter about one image: those that mix answer in one forward pass. A press on a line
chooses one.

Adapters of one dataset stand together, so that one sees where they agree.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import gradio as gr

from ...contracts.cards import Prediction
from ...contracts.service import Answers, Zoo
from .. import text
from ..toasts import speaking
from ..wiring import ON_DEVICE, UNQUEUED
from .chips import CHOOSE, PRESSED
from .tab import nothing_to_ask
from .usable import ready

UNKNOWN = "other data"


def build() -> gr.HTML:
    """Draws the list, hidden until somebody asks."""
    return gr.HTML("", js_on_load=PRESSED, visible=False, padding=False, elem_id="every")


def connect(
    button: gr.Button,
    image: gr.Image,
    lines: gr.HTML,
    adapter: gr.Dropdown,
    zoo: Zoo,
    answers: Answers,
) -> None:
    """Connects the button to the list and the list's lines to the choice of an adapter."""
    button.click(_ask(zoo, answers), image, lines, **ON_DEVICE)
    lines.select(None, None, adapter, js=CHOOSE, **UNQUEUED)


def _ask(zoo: Zoo, answers: Answers):
    @speaking
    def ask(image: str | None) -> gr.HTML:
        datasets = {entry.id: entry.card.dataset for entry in ready(zoo) if entry.card}
        if not image or not datasets:
            raise nothing_to_ask()
        predictions = answers.predict([Path(image)] * len(datasets), list(datasets), 1)
        return gr.HTML(draw(predictions, datasets), visible=True)

    return ask


def draw(predictions: Sequence[Prediction], datasets: Mapping[str, str]) -> str:
    """HTML: a line for each adapter under the name of its dataset. `datasets` are those of the
    adapters by id.
    """
    groups: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        groups.setdefault(datasets[prediction.adapter] or UNKNOWN, []).append(prediction)
    return f'<div class="every">{"".join(_group(*group) for group in groups.items())}</div>'


def _group(dataset: str, predictions: Sequence[Prediction]) -> str:
    labels = Counter(p.label for p in predictions if not p.refusal and not p.is_none)
    most = labels.most_common(1)[0] if labels else ("", 0)
    agreement = ""
    if len(predictions) > 1 and labels:
        agreement = f"<span>{most[1]} of {len(predictions)} say {escape(most[0])}</span>"
    lines = "".join(_line(prediction, most[0]) for prediction in predictions)
    return f"<h3>{escape(dataset)} {agreement}</h3><ul>{lines}</ul>"


def _line(prediction: Prediction, most: str) -> str:
    id = escape(prediction.adapter)
    if prediction.refusal:
        return f"<li><span>{id}</span><em>{escape(text.sentence(prediction.refusal))}</em></li>"
    look = "agrees" if prediction.label == most else "differs"
    said = f'<b class="{look}">{escape(prediction.label)}</b>'
    share = f"<b>{100 * prediction.probability:.0f} %</b>"
    if prediction.is_none:
        said = f"<i>none of these, most like {escape(prediction.label)}</i>"
        share = ""
    return f'<li><button type="button" data-id="{id}"><span>{id}</span>{said}{share}</button></li>'
