"""What happens in a run, as frozen values.

`training.train` yields them, the journal keeps them, the page draws them. A run reads:

    (Queued) · (Surveyed …) · Started · Stepped … · Evaluated … · Improved/Saved …
    · (Checkpointed …) and at the end (HeldOut), then Finished, Stopped or Failed

One that searches first tells this for all trials as one run, with Tried after each.
One that was interrupted may go on later: Interrupted · Resumed · Started · Stepped … What was told
of steps after its last checkpoint is then told again, the same as before.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, get_type_hints

from .errors import BadValue

LARGEST = 2**63
"""Whole numbers of events lie below this."""


@dataclass(frozen=True)
class Event:
    """Base of all events; `to_json`/`from_json` carry them through the journal."""

    final: ClassVar[bool] = False

    def to_json(self) -> dict:
        return {"event": type(self).__name__, **asdict(self)}


@dataclass(frozen=True)
class Queued(Event):
    """The run waits for those that were started before it."""


@dataclass(frozen=True)
class Progressed(Event):
    """Something before training moves on: a download, decoding, loading.

    `fraction` is a fraction of 1, or -1 when unknown.
    """

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
    precision: str = ""
    """In what matrices are multiplied, "fp32" or "bf16"; "" in a log of before."""


@dataclass(frozen=True)
class Surveyed(Event):
    """A batch of the sensitivity survey is done (SPT)."""

    batch: int
    batches: int


@dataclass(frozen=True)
class Stepped(Event):
    """One optimisation step.

    `memory_mb` is what is allocated on the device (CUDA), else what this process holds.
    """

    step: int
    loss: float
    lr: float
    images_per_second: float
    eta_s: float
    memory_mb: float
    grad_norm: float | None = None
    """Of all trained parameters together, before it is clipped; None in runs of earlier
    versions."""


@dataclass(frozen=True)
class Evaluated(Event):
    """Validation after `step` steps.

    `loss` and `accuracy` (a fraction of 1) are means over the validation images.
    """

    step: int
    loss: float
    accuracy: float
    images: int
    best: bool
    """Whether its state is the one that is kept so far."""


@dataclass(frozen=True)
class Tried(Event):
    """A trial of a search is over.

    `accuracy` (a fraction of 1) and `loss` are those of its kept state on the `images` that choose,
    None where the trial broke for the reason in `problem`.
    """

    trial: int
    """Its number; 1 is the run as it stands."""
    trials: int
    settings: str
    """What was searched, as this trial had it: "lr 0.001, scale 10"."""
    accuracy: float | None
    loss: float | None
    images: int
    best: bool
    """Whether it is the best so far."""
    problem: str = ""


@dataclass(frozen=True)
class Improved(Event):
    """The state that is kept so far; `adapter` is the whole adapter file.

    It does not go into the journal: `Saved` stands there.
    """

    step: int
    adapter: bytes

    def to_json(self) -> dict:
        raise TypeError("an Improved event carries a file; the journal keeps Saved instead")


@dataclass(frozen=True)
class Checkpointed(Event):
    """The run was validated, and may go on from its state here after an interruption.

    `state` gives the bytes of its file. It is asked for before the run goes on, or never: what
    nobody keeps costs nothing. The event does not go into the journal.
    """

    step: int
    state: Callable[[], bytes]

    def to_json(self) -> dict:
        raise TypeError("a Checkpointed event carries a state; the journal does not keep it")


@dataclass(frozen=True)
class Resumed(Event):
    """An interrupted run goes on after `step` steps; 0 is from its beginning."""

    step: int


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
    """The end, with the one look at the test images.

    Accuracies are fractions of 1, None where not measured.
    """

    final: ClassVar[bool] = True
    step: int
    best_step: int
    """Of the state that is kept; `val_accuracy` is its own."""
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
    precision: str = ""
    """As in Started."""
    learning_s: float = 0.0
    """Seconds of the steps. This and the two below are parts of `seconds`; with a search those of
    the trial that was kept; 0 in a log of before."""
    validation_s: float = 0.0
    """Seconds of the validations since the run last went on, with the files written after each."""
    end_s: float = 0.0
    """Seconds after the last validation: doubt, the test, the file."""


@dataclass(frozen=True)
class Stopped(Finished):
    """As `Finished`, but ended early by a person.

    The state kept so far is its result. The test images were not looked at.
    """


@dataclass(frozen=True)
class Failed(Event):
    """The run ended in an error: a sentence and what to do next.

    The adapter saved so far, if any, stays in the zoo.
    """

    final: ClassVar[bool] = True
    sentence: str
    hint: str = ""


@dataclass(frozen=True)
class Interrupted(Event):
    """The process died before the run ended; found when the studio opens again.

    `reason` says why an attempt to go on failed, "" if there was none.
    """

    final: ClassVar[bool] = True
    reason: str = ""


CLASSES: Mapping[str, type[Event]] = {
    event.__name__: event
    for event in (
        Queued,
        Progressed,
        Started,
        Surveyed,
        Stepped,
        Evaluated,
        Tried,
        Resumed,
        Saved,
        Noticed,
        Finished,
        Stopped,
        Failed,
        Interrupted,
    )
}
"""Name in a journal line → the class of its event."""


def from_json(plain: Any) -> Event:
    """The event that a journal line tells of, whatever JSON it is.

    Raises `BadValue` if it is none of ours.
    """
    try:
        values = dict(plain)
        event_class = CLASSES[values.pop("event")]
        event = event_class(**{name: _frozen(value) for name, value in values.items()})
    except (KeyError, TypeError, ValueError):
        raise BadValue("a journal line is not an event of this version.") from None
    for name, wanted in _field_types(event_class).items():
        if not _fits(getattr(event, name), wanted):
            raise BadValue("a journal line is not an event of this version.")
    return event


def _frozen(value: Any) -> Any:
    """Lists, which JSON gives back for tuples, become tuples."""
    return tuple(value) if isinstance(value, list) else value


@lru_cache
def _field_types(event_class: type[Event]) -> Mapping[str, Any]:
    types = get_type_hints(event_class)
    return {field.name: types[field.name] for field in fields(event_class)}


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a JSON value may stand in a field of this type."""
    if wanted == tuple[str, ...]:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if wanted == float | None and value is None:
        return True
    if wanted in (bool, str):
        return type(value) is wanted
    if wanted is int:
        return type(value) is int and abs(value) < LARGEST
    return type(value) is float or _fits(value, int)
