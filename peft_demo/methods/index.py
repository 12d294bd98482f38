"""The cards of the methods, kept beside them: what the methods are called and which knobs they have
is known without importing them, and so without torch.

    python -m peft_demo.methods         writes index.json anew

`index.json` has the cards, and the SHA-256 of the code that they were made from. Where a file here
is new or has changed since, it counts for nothing and the methods are imported: they are right at
once, only slower to list until the index is written anew.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..contracts.cards import MethodCard
from ..contracts.knobs import Knob

INDEX = Path(__file__).with_name("index.json")


@lru_cache
def indexed(folders: tuple[str, ...]) -> list[MethodCard]:
    """The cards of all methods in the room's folders; none where the index is not of their code."""
    if not INDEX.is_file():
        return []
    index = json.loads(INDEX.read_text("utf-8"))
    return [_card(values) for values in index["cards"]] if index["code"] == _digest(folders) else []


def index_of(cards: Iterable[MethodCard], folders: Iterable[str]) -> str:
    """The text of the index of the methods in these folders."""
    index = {"code": _digest(folders), "cards": [asdict(card) for card in cards]}
    return json.dumps(index, indent=1, ensure_ascii=False) + "\n"


def _digest(folders: Iterable[str]) -> str:
    """SHA-256 of all code in the folders."""
    files = [file for folder in folders for file in sorted(Path(folder).rglob("*.py"))]
    return sha256("".join(file.read_text("utf-8") for file in files).encode()).hexdigest()


def _card(values: Mapping[str, Any]) -> MethodCard:
    knobs = [Knob(**_with_tuples(knob)) for knob in values["knobs"]]
    return MethodCard(**_with_tuples({**values, "knobs": knobs}))


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where a card has tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
