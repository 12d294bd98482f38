"""Which adapters are shown, and in which order: chips, search words, an order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...contracts.cards import ZooEntry
from ..titles import Titles

ALL = "all"
"""The chip that holds nothing back."""
UNKNOWN = "–"
NAME = "name"
ACCURACY = "accuracy"
SIZE = "size"
NEWEST = "newest"
ORDERS = [("Newest", NEWEST), ("Most accurate", ACCURACY), ("Smallest", SIZE), ("Name", NAME)]

Chips = list[tuple[str, str]]
"""(words on it, value)"""


@dataclass(frozen=True)
class Wanted:
    """What a person asked for."""

    dataset: str = ALL
    method: str = ALL
    words: str = ""
    order: str = NEWEST


def shown(entries: Sequence[ZooEntry], wanted: Wanted, titles: Titles) -> list[ZooEntry]:
    """The entries that fit, in the order asked for; what has no such figure comes last."""
    fitting = [entry for entry in entries if _fits(entry, wanted, titles)]
    return sorted(fitting, key=lambda entry: _rank(entry, wanted.order))


def dataset_chips(entries: Iterable[ZooEntry]) -> Chips:
    """All, then each dataset, that with the most adapters first."""
    return _chips(Counter(dataset_of(entry) for entry in entries), {})


def method_chips(entries: Iterable[ZooEntry], titles: Titles) -> Chips:
    """All, then each method, that with the most adapters first."""
    return _chips(Counter(method_of(entry) for entry in entries), titles)


def chosen(value: str | None, chips: Chips) -> str:
    """The chip that stays pressed: "all" where the one that was has gone."""
    return value if value and value in [name for _, name in chips] else ALL


def dataset_of(entry: ZooEntry) -> str:
    """Name of the dataset that it was trained on."""
    return (entry.card.dataset if entry.card else "") or UNKNOWN


def method_of(entry: ZooEntry) -> str:
    return entry.card.method if entry.card else UNKNOWN


def _chips(counts: Counter[str], titles: Titles) -> Chips:
    names = sorted(counts, key=lambda name: (name == UNKNOWN, -counts[name], name))
    every = (f"All {counts.total()}", ALL)
    return [every, *((f"{titles.get(name, name)} {counts[name]}", name) for name in names)]


def _fits(entry: ZooEntry, wanted: Wanted, titles: Titles) -> bool:
    if wanted.dataset not in (ALL, dataset_of(entry)):
        return False
    if wanted.method not in (ALL, method_of(entry)):
        return False
    text = _text(entry, titles)
    return all(word in text for word in wanted.words.lower().split())


def _text(entry: ZooEntry, titles: Titles) -> str:
    """Everything that search words are looked for in."""
    method = method_of(entry)
    classes = entry.card.classes if entry.card else ()
    parts = [entry.id, method, titles.get(method, ""), dataset_of(entry), *classes]
    return " ".join(parts).lower()


def _rank(entry: ZooEntry, order: str) -> tuple[Any, ...]:
    card = entry.card
    if order == ACCURACY:
        accuracy = card.test_accuracy if card else None
        return accuracy is None, -(accuracy or 0.0), entry.id
    if order == SIZE:
        return entry.file_bytes, entry.id
    if order == NEWEST:
        made = card.created if card else ""
        return not made, _backwards(made), entry.id
    return (entry.id,)


def _backwards(text: str) -> tuple[int, ...]:
    """Sorts the other way round: later times first."""
    return tuple(-ord(letter) for letter in text)
