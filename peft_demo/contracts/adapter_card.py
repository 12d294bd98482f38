"""The card inside an adapter file, and the checks a card from elsewhere must pass."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any

from .errors import BadAdapter, BadValue
from .specs import RunSpec
from .window import Window


@dataclass(frozen=True)
class AdapterCard:
    """The card inside an adapter file: all that is needed to rebuild, check, reproduce and judge
    it."""

    name: str
    method: str
    knobs: Mapping[str, Any]
    classes: tuple[str, ...]
    backbone: str
    """Catalogue name of the backbone."""
    arch: str
    """timm architecture."""
    fingerprint: str
    """SHA-256 of the backbone's source tensors."""
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    spec: Mapping[str, Any]
    """The `RunSpec` as JSON, paths cut to their last part."""
    trainable: int
    head: int
    val_accuracy: float | None = None
    val_images: int = 0
    test_accuracy: float | None = None
    test_images: int = 0
    seconds: float = 0.0
    created: str = ""
    """ISO 8601, UTC."""
    split: str = ""
    """SHA-256 over the hashes of the chosen images."""
    seen: tuple[str, ...] = ()
    """Hashes of training and validation images, left out by `evaluate`."""
    curve: tuple[tuple[float, float], ...] = ()
    """(step, training loss), thinned to at most 100 points."""
    accuracy_curve: tuple[tuple[float, float], ...] = ()
    """(step, validation accuracy)"""
    replaced: tuple[str, ...] = ()
    """Names of the backbone tensors the file replaces."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the method needs to be rebuilt beside its knobs (SPT's allocation)."""
    versions: Mapping[str, str] = field(default_factory=dict)
    thumbnail: str = ""
    """A small JPEG of one training image in base64, only if the person asked for it."""
    window: tuple[float, ...] = ()
    """(darkest, brightest) value of pictures deeper than 8 bits, as it was trained on them; empty:
    see `Window`."""
    ground: str = ""
    """Colour behind transparent pictures, as it was trained on them; empty: white."""

    @property
    def picture_window(self) -> Window:
        """How pictures become plain RGB before this adapter answers."""
        return Window(self.window, self.ground)

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(plain: Mapping) -> "AdapterCard":
        """The card again; unknown keys of later versions are ignored, `BadAdapter` if one of ours
        is missing or odd."""
        known = {f.name for f in fields(AdapterCard)}
        try:
            card = AdapterCard(
                **{
                    k: _tuples(v) if isinstance(v, list) else v
                    for k, v in plain.items()
                    if k in known
                }
            )
        except TypeError:
            raise BadAdapter("the card inside this adapter file lacks a field.") from None
        _check(card)
        return card

    def command(self) -> str:
        """The command that reproduces this adapter, from its checked spec."""
        return RunSpec.from_json(self.spec).command()


_PICTURE_LIMIT = 40_000
_TEXT = ("name", "method", "backbone", "arch", "fingerprint", "interpolation", "created", "split")
_MAPPINGS = ("knobs", "spec", "extra", "versions")


def _check(card: AdapterCard) -> None:
    texts = [getattr(card, n) for n in _TEXT] + list(card.classes)
    sized = isinstance(card.size, int) and 1 <= card.size <= 4096
    if (
        not all(isinstance(t, str) and len(t) <= 500 for t in texts)
        or not card.classes
        or not sized
    ):
        raise BadAdapter("the card inside this adapter file is ill-formed.")
    if not re.fullmatch("[0-9a-f]{64}", card.fingerprint):
        raise BadAdapter("the card inside this adapter file has no SHA-256 for its backbone.")
    if not isinstance(card.thumbnail, str) or len(card.thumbnail) > _PICTURE_LIMIT:
        raise BadAdapter("the card inside this adapter file has an ill-formed thumbnail.")
    if not all(isinstance(getattr(card, n), Mapping) for n in _MAPPINGS):
        raise BadAdapter("the card inside this adapter file is ill-formed.")
    normalisation = (*card.mean, *card.std)
    if len(normalisation) != 6 or any(
        not isinstance(v, int | float) or not isfinite(v) for v in normalisation
    ):
        raise BadAdapter("the card inside this adapter file has an ill-formed normalisation.")
    if min(card.std) <= 0:
        raise BadAdapter(
            "the card inside this adapter file divides by a normalisation that is not positive."
        )
    _check_window(card)
    if not all(map(_figure, _figures(card))):
        raise BadAdapter("the card inside this adapter file holds a figure that is none.")


def _check_window(card: AdapterCard) -> None:
    try:
        Window(card.window, card.ground)
    except (BadValue, TypeError):
        raise BadAdapter("the card inside this adapter file has an ill-formed window.") from None


def _figures(card: AdapterCard):
    """All that is shown as a number."""
    yield from (card.trainable, card.head, card.val_images, card.test_images, card.seconds)
    yield from (a for a in (card.val_accuracy, card.test_accuracy) if a is not None)
    for points in (card.curve, card.accuracy_curve):
        yield from (
            v for p in points for v in (p if isinstance(p, tuple) and len(p) == 2 else (None,))
        )


def _figure(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _tuples(value):
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
