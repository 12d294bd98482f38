"""What an adapter answers to the two probe pictures (`data.probes`), by which every copy of it is
verified: adapter files keep it as a tensor, exports as the JSON of `Probes`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import checks
from .checks import Check, Unexpected
from .errors import BadAdapter

VERSION = 1
"""Of the pictures: logits of others are not compared."""
PICTURES = 2
FILE = "probe.json"
"""The name of the JSON in the folder of an export; in metadata its key is `KEY`."""
KEY = "probe"
LARGEST = 1e30
"""Of a logit; fp32 holds it."""
LIMIT = 10_000_000
"""Bytes of the JSON."""


@dataclass(frozen=True)
class Probes:
    """Logits [2 C] of the probe pictures, with the classes they are of."""

    classes: tuple[str, ...]
    logits: tuple[tuple[float, ...], ...]
    version: int = VERSION

    @property
    def spread(self) -> float:
        """From the lowest to the highest of the logits."""
        values = [value for row in self.logits for value in row]
        return max(values) - min(values)

    def to_text(self) -> str:
        """As JSON; fp32 numbers come back to the bit."""
        values = {"version": self.version, "classes": self.classes, "logits": self.logits}
        return json.dumps(values, ensure_ascii=False)

    @staticmethod
    def parse(text: str | bytes, name: str) -> "Probes":
        """The probes in the JSON `text`, which sentences call `name`; `BadAdapter` says why there
        are none, whatever it is."""
        try:
            values = json.loads(text) if len(text) <= LIMIT else None
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, Mapping):
            raise BadAdapter(f"{name} is not a JSON object of at most {LIMIT:,} bytes.")
        classes = _checked("classes", checks.names(500), values, name)
        rows = checks.tuples(PICTURES, checks.numbers(len(classes), -LARGEST, LARGEST))
        return Probes(
            classes,
            _checked("logits", rows, values, name),
            _checked("version", checks.whole(1, 10**6), values, name),
        )


def nothing_kept(name: str) -> BadAdapter:
    """Says of a file that it has no probes."""
    return BadAdapter(
        f"{name} does not say what it answered to the probe pictures, as files of earlier versions"
        " and of other programs do not.",
        "Export it again; `verify ADAPTER --out FILE` writes an adapter with what it answers here.",
    )


def check_version(version: int, name: str) -> None:
    """`BadAdapter` for logits of pictures that this version does not draw."""
    if version != VERSION:
        raise BadAdapter(
            f"{name} was made with probe pictures of version {version}, and this is version"
            f" {VERSION}.",
            "Verify it with the version of PEFT Demo that made it.",
        )


def _checked(key: str, check: Check, values: Mapping[str, Any], name: str) -> Any:
    try:
        return check(values.get(key))
    except Unexpected as error:
        raise BadAdapter(f"{name} has no sound {key}; expected {error}.") from None
