"""The table of adapters: one row a file, the unusable ones with the reason."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ...contracts.accuracy import in_short
from ...contracts.adapter_card import AdapterCard
from ...contracts.cards import ZooEntry
from .. import text

COLUMNS = [
    "Adapter",
    "Method",
    "Classes",
    "Shots",
    "Seed",
    "Size",
    "Val",
    "Test",
    "Backbone",
    "Note",
]
UNKNOWN = "–"


def table(entries: Sequence[ZooEntry]) -> pd.DataFrame:
    """The rows of all entries."""
    rows = [_row(entry) for entry in entries]
    return pd.DataFrame(rows, columns=COLUMNS)


def data_of(card: AdapterCard) -> dict[str, Any]:
    """What the card's spec says of data, empty if nothing: the spec comes from a file and may be
    anything.
    """
    data = card.spec.get("data")
    return data if isinstance(data, dict) else {}


def _row(entry: ZooEntry) -> dict[str, str]:
    note = entry.refusal or ("shipped" if entry.shipped else "")
    row = dict.fromkeys(COLUMNS, UNKNOWN)
    row["Adapter"] = entry.id
    row["Size"] = text.size(entry.file_bytes)
    row["Note"] = text.sentence(note)
    if entry.card is not None:
        row |= _facts(entry.card)
    return row


def _facts(card: AdapterCard) -> dict[str, str]:
    data = data_of(card)
    return {
        "Method": card.method,
        "Classes": str(len(card.classes)),
        "Shots": str(data.get("shots", UNKNOWN)),
        "Seed": str(data.get("seed", UNKNOWN)),
        "Val": _score(card.val_accuracy, card.val_images),
        "Test": _score(card.test_accuracy, card.test_images),
        "Backbone": card.backbone,
    }


def _score(accuracy: float | None, images: int) -> str:
    return UNKNOWN if accuracy is None else in_short(accuracy, images)
