"""Adapters written out for other programs. One format, one file; a new file here is all that a new
export takes.

How to add an export
--------------------
Write `peft_demo/studio/exports/yours.py` with a function and a record that names it:

    def write(out: Path, subject: Subject) -> Sequence[str]:
        write_file(out, ...)                        # or raises `CannotExport`
        return ("what a person should know",)       # notes, in sentences

    YOURS = Export("yours", write)

Every module-level `Export` is found by itself: `export ADAPTER --to yours` works from then on. What
turns an adapter into another program's bytes, without a file, belongs to the room `interop`.
`Subject.probes`, put into the file (a folder takes `probe_file`), and a runner in
`studio/verification` let `verify` ask what was written. Add a test to
`tests/studio/test_exports.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from pkgutil import iter_modules

from ... import vit
from ...contracts.adapter_card import AdapterCard
from ...contracts.cards import Sample
from ...contracts.errors import UnknownName
from ...contracts.probes import FILE, Probes
from ...lazy import load_module
from ...vit.source import Source
from ..heavy import adapters, inference, probes, torch


@dataclass(frozen=True)
class Subject:
    """What is exported: an adapter with its card, and the backbone it was made for, loaded and by
    its source."""

    backbone: "vit.Backbone"
    adapter: "adapters.Adapter"
    card: AdapterCard
    source: Source
    rank: int = 0
    """Of the nearest LoRA, where a format can be near only; 0 asks for the adapter as it is."""
    measure: "Callable[[torch.nn.Module], str]" = field(default=lambda model: "", repr=False)
    """What a plain model [B 3 S S] → [B C] gets right of the adapter's own test images, in words;
    "" where they cannot be had again."""
    samples: Callable[[], Sequence[Sample]] = field(default=lambda: (), repr=False)
    """Pictures to try it on."""
    kept: Probes | None = None
    """What its file says that it answered to the probe pictures, None for files that do not."""

    @cached_property
    def probes(self) -> Probes:
        """What it answers to the probe pictures: what its file says, else what it answers here."""
        return self.kept or probes.probes_of(self.attached.model, self.backbone, self.card)

    @property
    def before(self) -> str:
        """What has to be done to pictures first, as a last line of a README; "" if nothing."""
        words = self.card.picture_window.words
        return f"\nBefore that, {words}." if words else ""

    @property
    def attached(self) -> "inference.Attached":
        """The adapter around its backbone, to compare an export with."""
        return inference.Attached.of(self.backbone, self.adapter, self.card)


@dataclass(frozen=True)
class Export:
    """A format: its name, and what writes it."""

    name: str
    write: Callable[[Path, Subject], Sequence[str]]
    """(out, subject) → notes for the person who exports. Raises `CannotExport` or `CannotWrite`."""


def probe_file(probes: Probes) -> dict[str, bytes]:
    """What every folder holds for `verify`, by its name."""
    return {FILE: probes.to_text().encode()}


@lru_cache
def exports() -> Mapping[str, Export]:
    """All formats by name, in alphabetical order of their files."""
    modules = [load_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    records = [
        value for file in modules for value in vars(file).values() if isinstance(value, Export)
    ]
    return {export.name: export for export in records}


def find_export(name: str) -> Export:
    """The format of this name; `UnknownName` offers the nearest one."""
    if name not in exports():
        raise UnknownName("format", name, exports())
    return exports()[name]
