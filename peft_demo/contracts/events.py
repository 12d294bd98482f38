"""What happens in a run, as frozen values. `training.train` yields them, the journal keeps them, the page draws them.

A run reads:  (Surveyed …) · Started · Stepped … · Evaluated … · Improved/Saved … · Finished | Stopped | Failed
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from .errors import BadValue


@dataclass(frozen=True)
class Event:
    """Base of all events; `to_json`/`from_json` carry them through the journal."""

    final: ClassVar[bool] = False

    def to_json(self) -> dict:
        return {"event": type(self).__name__, **asdict(self)}


@dataclass(frozen=True)
class Progressed(Event):
    """Something before training moves on: a download, decoding, loading. `fraction` of 1, or -1 when unknown."""

    what: str
    fraction: float = -1.0


@dataclass(frozen=True)
class Started(Event):
    """The run is about to take its first step."""

    steps: int
    steps_per_epoch: int
    trainable: int
    """Parameters of the adapter, without the head."""
    head: int
    share: float
    """trainable / parameters of the frozen backbone."""
    classes: tuple[str, ...]
    train_images: int
    val_images: int
    test_images: int
    device: str
    fingerprint: str
    """SHA-256 of the live backbone tensors before the first step."""


@dataclass(frozen=True)
class Surveyed(Event):
    """A batch of the sensitivity survey is done (SPT)."""

    batch: int
    batches: int


@dataclass(frozen=True)
class Stepped(Event):
    """One optimisation step. `memory_mb`: allocated on the device (CUDA), else resident in this process."""

    step: int
    loss: float
    lr: float
    images_per_second: float
    eta_s: float
    memory_mb: float


@dataclass(frozen=True)
class Evaluated(Event):
    """Validation after `step` steps. `loss` and `accuracy` (a fraction of 1) are means over the validation images."""

    step: int
    loss: float
    accuracy: float
    images: int
    best: bool


@dataclass(frozen=True)
class Improved(Event):
    """The best state so far: `adapter` is the whole adapter file. Not for the journal: `Saved` stands there."""

    step: int
    adapter: bytes

    def to_json(self) -> dict:
        raise TypeError("an Improved event carries a file; the journal keeps Saved instead")


@dataclass(frozen=True)
class Saved(Event):
    """The adapter now stands in the zoo under `adapter`."""

    step: int
    adapter: str
    file_bytes: int


@dataclass(frozen=True)
class Noticed(Event):
    """Something worth a line: `level` is "info" or "warning"."""

    level: str
    text: str


@dataclass(frozen=True)
class Finished(Event):
    """The end, with the one look at the test images. Accuracies are fractions of 1, None where not measured."""

    final: ClassVar[bool] = True
    step: int
    best_step: int
    val_accuracy: float | None
    test_accuracy: float | None
    test_images: int
    seconds: float
    images_per_second: float
    memory_mb: float
    trainable: int
    head: int
    file_bytes: int
    fingerprint: str
    """SHA-256 of the live backbone tensors after the run."""
    unchanged: bool
    """Whether it equals the one before: the proof that the backbone was frozen."""


@dataclass(frozen=True)
class Stopped(Finished):
    """As `Finished`, ended early by a person; the best state was kept. Test images were not looked at."""


@dataclass(frozen=True)
class Failed(Event):
    """The run ended in an error: a sentence and what to do next. `adapter` kept so far, if any, stays in the zoo."""

    final: ClassVar[bool] = True
    sentence: str
    hint: str = ""


@dataclass(frozen=True)
class Interrupted(Event):
    """The process died before the run ended; found when the studio opens again."""

    final: ClassVar[bool] = True


def saved_adapter(events: Sequence[Event]) -> str:
    """The adapter that a run with these events has saved last, "" if none."""
    for event in reversed(events):
        if isinstance(event, Saved):
            return event.adapter
    return ""


_KINDS = {
    k.__name__: k
    for k in (
        Progressed,
        Started,
        Surveyed,
        Stepped,
        Evaluated,
        Saved,
        Noticed,
        Finished,
        Stopped,
        Failed,
        Interrupted,
    )
}


def from_json(plain: dict) -> Event:
    """The event a journal line tells of; `BadValue` if it is none of ours."""
    try:
        values = {
            k: tuple(v) if isinstance(v, list) else v for k, v in plain.items() if k != "event"
        }
        return _KINDS[plain["event"]](**values)
    except (KeyError, TypeError):
        raise BadValue("a journal line is not an event of this version.") from None
