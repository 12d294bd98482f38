"""The card inside an adapter file, and the checks a card from elsewhere must pass."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from . import checks
from .checks import Check, Unexpected
from .doubt import STEPS
from .errors import BadAdapter, BadValue, PeftDemoError
from .specs import DataSpec, RunSpec
from .text import quoted
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
    """The `RunSpec` as JSON, paths cut to their last part; {} where nobody knows it."""
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
    trials: int = 0
    """Settings that were tried; the adapter has the best of them. 0: none were."""
    trial_images: int = 0
    """Validation images that chose among them; with `trial_folds`, training images held out."""
    temperature: float | None = None
    """That its logits were divided by, in the head's own numbers, so that its probabilities are
    true on validation images; None where there were too few."""
    doubt: tuple[float, ...] = ()
    """How far validation images are from the class means in the file: the least distance, then
    that of each 5 %; empty where there were too few. See `inference.doubt`."""
    trial_folds: int = 0
    """Parts that the training images were cut into to be held out in turn; 0: they were not."""
    probes: int = 0
    """Version of the probe pictures whose logits are in the file; 0: none are. See
    `contracts.probes`."""

    @property
    def picture_window(self) -> Window:
        """How pictures become plain RGB before this adapter answers."""
        return Window(self.window, self.ground)

    @property
    def origin(self) -> str:
        """Name of the adapter that its run went on from, "" for none."""
        try:
            origin = RunSpec.from_json(self.spec).origin
        except PeftDemoError:
            return ""
        return origin.name if origin else ""

    @property
    def tuned(self) -> str:
        """How its settings were chosen, "" where nothing was tried."""
        if not self.trials:
            return ""
        images = f"{self.trial_images} validation images"
        if self.trial_folds:
            images = f"{self.trial_images} training images, held out in {self.trial_folds} parts"
        return f"best of {self.trials} settings on {images}"

    @property
    def validation_chose(self) -> bool:
        """Whether the validation images took part in choosing the state or the settings.

        They did wherever they are, but in a run that looked at them once.
        """
        looked_once = len(self.accuracy_curve) == 1 and not self.trials
        return bool(self.val_images) and not looked_once

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def parse(text: str) -> "AdapterCard":
        """The card in the JSON `text`; `BadAdapter` says why there is none, whatever it is."""
        try:
            values = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise BadAdapter("the card of this adapter file is not JSON.") from None
        return AdapterCard.from_json(values)

    @staticmethod
    def from_json(values: Any) -> "AdapterCard":
        """The card again, from any JSON value, every field checked.

        Fields that later versions add are ignored. Raises `BadAdapter`.
        """
        if not isinstance(values, Mapping):
            raise BadAdapter(f"{CARD} is {quoted(values)}; expected an object.")
        return AdapterCard(**_checked(values))

    @property
    def data(self) -> DataSpec | None:
        """What it was trained on, None if the card does not know or its spec does not hold up."""
        try:
            return RunSpec.from_json(self.spec).data if self.spec else None
        except PeftDemoError:
            return None

    @property
    def dataset(self) -> str:
        """The name of that: digits, photos, holiday.zip; empty if the card does not know."""
        return self.data.name if self.data else ""

    def command(self) -> str:
        """The command that trains this adapter again; `BadValue` if the card does not know."""
        return RunSpec.from_json(self.spec).command()


CARD = "the card of this adapter file"


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    checked = {}
    for entry in fields(AdapterCard):
        name = entry.name
        if name in values:
            checked[name] = _check(name, values[name])
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise BadAdapter(f"{CARD} lacks its {name}.")
    return checked


def _check(name: str, value: Any) -> Any:
    try:
        return _CHECKS[name](value)
    except Unexpected as error:
        raise BadAdapter(f"{CARD} has {name} = {quoted(value)}; expected {error}.") from None


def _run_spec(value: Any) -> Mapping[str, Any]:
    """A run specification; {} for one that this version cannot read, as it is not needed to
    answer."""
    try:
        RunSpec.from_json(checks.settings(value))
    except (Unexpected, PeftDemoError):
        return {}
    return value


def _window(value: Any) -> tuple[float, ...]:
    if value in ([], ()):
        return ()
    try:
        return Window(_DARK_AND_BRIGHT(value)).values
    except (Unexpected, BadValue):
        raise Unexpected("two numbers, the darkest value first") from None


def _ground(value: Any) -> str:
    try:
        return Window(ground=checks.text(20)(value)).ground
    except BadValue:
        raise Unexpected("the name of a ground colour, or #rrggbb") from None


def _distances(value: Any) -> tuple[float, ...]:
    if value in ([], ()):
        return ()
    distances = checks.numbers(STEPS, 0, 2)(value)
    if list(distances) != sorted(distances):
        raise Unexpected("distances that do not fall")
    return distances


_DARK_AND_BRIGHT = checks.numbers(2, -checks.FINITE, checks.FINITE)
_COUNT = checks.whole(0, 10**12)
_ACCURACY = checks.optional(checks.number(0, 1))

_CHECKS: Mapping[str, Check] = {
    "name": checks.name(500),
    "method": checks.name(500),
    "knobs": checks.settings,
    "classes": checks.names(500),
    "backbone": checks.name(500),
    "arch": checks.name(500),
    "fingerprint": checks.text(64, "[0-9a-f]{64}", "a SHA-256 of 64 hexadecimal digits"),
    "size": checks.whole(1, 4096),
    "mean": checks.numbers(3, -1e6, 1e6),
    "std": checks.numbers(3, 1e-6, 1e6),
    "interpolation": checks.text(500),
    "spec": _run_spec,
    "trainable": _COUNT,
    "head": _COUNT,
    "val_accuracy": _ACCURACY,
    "val_images": _COUNT,
    "test_accuracy": _ACCURACY,
    "test_images": _COUNT,
    "seconds": checks.number(0, 1e9),
    "created": checks.text(500),
    "split": checks.text(500),
    "seen": checks.texts(500),
    "curve": checks.curve(),
    "accuracy_curve": checks.curve(0, 1),
    "replaced": checks.texts(500),
    "extra": checks.settings,
    "versions": checks.settings,
    "thumbnail": checks.text(40_000, "[A-Za-z0-9+/=]*", "a small JPEG in base64"),
    "window": _window,
    "ground": _ground,
    "temperature": checks.optional(checks.number(1e-3, 1e3)),
    "doubt": _distances,
    "trials": _COUNT,
    "trial_images": _COUNT,
    "trial_folds": _COUNT,
    "probes": checks.whole(0, 10**6),
}
"""What each field must be. That every field is here is a test."""
