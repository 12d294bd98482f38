"""The two endpoints for programs, beside the page: `/classify` and `/adapters`. Everything else is
private.

A file from a client is one it has uploaded before, which Gradio has checked and moved; anything
else that calls itself a path is refused.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api
from gradio.utils import get_upload_folder
from gradio_client.utils import is_file_obj_with_meta

from ..contracts.cards import Prediction, ZooEntry
from ..contracts.errors import BadImage, BadValue
from ..contracts.service import Answers, Zoo
from .classify.answers import MOST, TOP
from .toasts import speaking

ENDPOINTS = ("classify", "adapters")


def build(zoo: Zoo, answers: Answers) -> None:
    """Adds both endpoints to the open `Blocks`."""
    api(_classify(answers), api_name="classify", concurrency_id="gpu", concurrency_limit=1)
    api(_adapters(zoo), api_name="adapters")


def keep_private(demo: gr.Blocks) -> None:
    """Afterwards these two are all that is public; components (a login button) connect handlers of
    their own.
    """
    for handler in demo.fns.values():
        if handler.api_name not in ENDPOINTS:
            handler.api_visibility = "private"


def _classify(answers: Answers):
    def classify(image: gr.FileData, adapters: list[str], top: int = TOP) -> list[dict]:
        """What up to four adapters say of a picture: label, probability, the `top` likeliest
        classes, the doubt that it is any of them (0 to 1, null where an adapter cannot say) and
        whether it is none of them, and how long it took. `image` is an uploaded file
        (`handle_file`), `adapters` are ids from `/adapters`.
        """
        if not isinstance(top, int) or not 1 <= top <= 1000:
            raise BadValue(f"top takes a whole number from 1 to 1000, got {str(top)[:100]}.")
        predictions = answers.classify(uploaded(image), _ids(adapters), top)
        return [_answer(prediction) for prediction in predictions]

    return speaking(classify)


def _adapters(zoo: Zoo):
    def adapters() -> list[dict]:
        """The adapters there are: id, method, classes, backbone, accuracies (fractions of 1),
        bytes, and why one cannot answer.
        """
        return [_entry(entry) for entry in zoo.entries()]

    return speaking(adapters)


def uploaded(image: Any) -> Path:
    """The file that a client has sent; `BadImage` for whatever is not one, a path of this machine
    above all.
    """
    folder = Path(get_upload_folder()).resolve()
    if not is_file_obj_with_meta(image) or not Path(image["path"]).resolve().is_relative_to(folder):
        raise BadImage(
            "the image is no uploaded file.",
            "From Python, send handle_file(PATH) of gradio_client.",
        )
    return Path(image["path"])


def _ids(adapters: Any) -> list[str]:
    if not isinstance(adapters, list) or not all(isinstance(id, str) for id in adapters):
        raise BadValue("adapters takes a list of names, as /adapters gives them.")
    if not 1 <= len(adapters) <= MOST:
        raise BadValue(
            f"adapters takes 1 to {MOST} names, got {len(adapters)}.", "Ask again for the others."
        )
    return adapters


def _answer(prediction: Prediction) -> dict[str, Any]:
    return {
        "adapter": prediction.adapter,
        "label": prediction.label,
        "probability": prediction.probability,
        "top": [list(pair) for pair in prediction.top],
        "doubt": prediction.doubt,
        "none_of_these": prediction.is_none,
        "ms": prediction.ms,
        "swap_ms": prediction.swap_ms,
    }


def _entry(entry: ZooEntry) -> dict[str, Any]:
    facts = {"id": entry.id, "file_bytes": entry.file_bytes, "refusal": entry.refusal}
    card = entry.card
    if card is None:
        return facts
    return {
        **facts,
        "method": card.method,
        "backbone": card.backbone,
        "classes": list(card.classes),
        "val_accuracy": card.val_accuracy,
        "val_images": card.val_images,
        "test_accuracy": card.test_accuracy,
        "test_images": card.test_images,
    }
