"""`train`: photos in, one adapter file out. `resume` goes on with a run that was interrupted."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ..contracts.accuracy import CHOSE, in_short, in_words
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadValue, PeftDemoError
from ..contracts.events import (
    Event,
    Failed,
    Finished,
    Interrupted,
    Tried,
)
from ..contracts.history import kept_trial, saved_adapter, since_interruption, trials_of
from ..contracts.knobs import build, parse_settings
from ..contracts.origin import Origin
from ..contracts.specs import Recipe, RunSpec
from .interrupt import FirstInterrupt
from .options import (
    Arch,
    Backbone,
    Data,
    Json,
    Offline,
    Seed,
    Shots,
    Size,
    Tune,
    Weights,
    Zoo,
    with_reading,
    with_recipe,
)
from .progress import Progress
from .services import add_weights, open_studio
from .terminal import print_answer, table

if TYPE_CHECKING:
    from ..studio import Studio

POLL_SECONDS = 0.05
"""How often the run's journal is read."""
TRIAL_HEAD = ("TRIAL", "SETTINGS", "VALIDATION", "LOSS", "")
MEASURED = (
    "trainable",
    "head",
    "file_bytes",
    "val_accuracy",
    "test_accuracy",
    "test_images",
    "seconds",
    "learning_s",
    "validation_s",
    "end_s",
    "precision",
    "images_per_second",
    "memory_mb",
    "unchanged",
    "fingerprint",
)
"""Fields of the run's last event that are part of the answer."""


@with_recipe
@with_reading
def train(
    data: Data,
    method: Annotated[
        str, Option(metavar="M", help="`methods` lists them; lora if left out.")
    ] = "",
    origin: Annotated[
        str,
        Option("--from", metavar="ADAPTER", help="Go on from this one, also with other classes."),
    ] = "",
    origin_sha256: Annotated[
        str, Option("--from-sha256", metavar="HEX", help="What that file's SHA-256 begins with.")
    ] = "",
    backbone: Backbone = "",
    weights: Weights = None,
    arch: Arch = "",
    size: Size = 0,
    shots: Shots = 16,
    seed: Seed = 0,
    settings: Annotated[
        list[str] | None, Option("--set", metavar="KNOB=VALUE", help="Of the method; repeat.")
    ] = None,
    tune: Tune = 0,
    thumbnail: Annotated[
        bool, Option("--thumbnail", help="Keep a small picture of one training image in the file.")
    ] = False,
    out: Annotated[
        Path | None, Option(metavar="FILE", help="Write the adapter here, not into the zoo.")
    ] = None,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    recipe: dict[str, str] | None = None,
    reading: dict[str, Any] | None = None,
) -> None:
    """Fine-tune: photos in, one adapter file out. Ctrl-C stops and keeps what it has."""
    with open_studio(zoo, offline) as studio:
        spec = studio.data.read(data, shots, seed, **reading or {})
        if weights:
            backbone = add_weights(studio, weights, arch or backbone)
        run = RunSpec(
            method=method or ("" if origin else RunSpec.method),
            knobs=parse_settings(settings or ()),
            data=spec,
            backbone=backbone,
            size=size,
            recipe=build(Recipe, recipe),
            thumbnail=thumbnail,
            tune=tune,
            origin=_origin(origin, origin_sha256),
        )
        answer = _follow_to_answer(studio, studio.training.start(run, out=out))
    print_answer(*answer, as_json)


def _origin(adapter: str, sha256: str) -> Origin | None:
    if sha256 and not adapter:
        raise BadValue("--from-sha256 is about the adapter of --from.", "Name one.")
    return Origin(adapter, sha256) if adapter else None


def resume(
    run: Annotated[
        str, Argument(metavar="[RUN]", help="Its id; the latest interrupted one if left out.")
    ] = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Go on with a run that was interrupted; it ends as if it had never been."""
    with open_studio(zoo, offline) as studio:
        answer = _follow_to_answer(studio, studio.training.resume(run))
    print_answer(*answer, as_json)


def _follow_to_answer(studio: "Studio", run: str) -> tuple[dict[str, Any], list[str]]:
    """Shows the run until it ends; what came of it, as a value and as lines."""
    events = _follow(studio, run)
    ending, adapter = _ending(events)
    id = studio.zoo.find(adapter)
    card = studio.zoo.card(id)
    file = studio.zoo.file(id)
    trials = trials_of(events)
    value = _result_value(adapter, file, ending, card)
    lines = _result_lines(adapter, file, ending, card)
    if trials:
        value["trials"] = [asdict(trial) for trial in trials]
        lines = [*_trial_lines(trials), "", *lines]
    return value, lines


def _trial_lines(trials: Sequence[Tried]) -> list[str]:
    """A table of what was tried."""
    kept = kept_trial(trials)
    return table([TRIAL_HEAD, *(_trial_row(trial, trial.trial == kept) for trial in trials)])


def _trial_row(trial: Tried, kept: bool) -> tuple[object, ...]:
    note = "kept" if kept else trial.problem
    if trial.accuracy is None or trial.loss is None:
        return trial.trial, trial.settings, "", "", note
    return (
        trial.trial,
        trial.settings,
        in_short(trial.accuracy, trial.images),
        f"{trial.loss:.3f}",
        note,
    )


def _follow(studio: "Studio", run: str) -> Sequence[Event]:
    """Shows the run until it ends; its events.

    The first Ctrl-C stops the run and keeps its best, the second gives up.
    """
    cursor = 0
    events: list[Event] = []
    stopping = False
    with Progress() as progress, FirstInterrupt() as interrupt:
        while not (events and events[-1].final):
            if interrupt.came and not stopping:
                stopping = True
                studio.training.stop(run)
                progress.line("stopping, what it has is kept; Ctrl-C again gives up")
            news, cursor = studio.training.follow(run, cursor)
            events += news
            for event in since_interruption(news):
                progress.show(event)
            sleep(POLL_SECONDS)
    return events


def _ending(events: Sequence[Event]) -> tuple[Finished, str]:
    """The last event of a run and its adapter; an error if there is none."""
    adapter = saved_adapter(events)
    match events[-1]:
        case Failed(sentence, hint):
            raise PeftDemoError(sentence, hint)
        case Finished() as ending if adapter:
            return ending, adapter
        case Finished():
            raise PeftDemoError("the run was stopped before there was anything to keep.")
        case Interrupted(reason) if reason:
            raise PeftDemoError(reason)
        case Interrupted():
            raise KeyboardInterrupt
    raise AssertionError(f"{events[-1]} does not end a run")


def _was_stopped(ending: Finished) -> bool:
    return type(ending) is not Finished


def _result_value(adapter: str, file: Path, ending: Finished, card: AdapterCard) -> dict[str, Any]:
    value = {
        "method": card.method,
        "backbone": card.backbone,
        "size": card.size,
        "file": str(file),
        "shots": card.spec["data"]["shots"],
        "seed": card.spec["data"]["seed"],
        "stopped": _was_stopped(ending),
    }
    for name in MEASURED:
        value[name] = getattr(ending, name)
    value["adapter"] = adapter
    value["from"] = card.origin
    return value


def _result_lines(adapter: str, file: Path, ending: Finished, card: AdapterCard) -> list[str]:
    early = "  (stopped early)" if _was_stopped(ending) else ""
    origin = f", went on from {card.origin}" if card.origin else ""
    tuned = [f"tuned     {card.tuned}"] if card.tuned else []
    frozen = "unchanged ✓" if ending.unchanged else "CHANGED: please report this"
    parameters = f"{ending.trainable:,} parameters and a head of {ending.head:,}"
    tested = in_words(ending.test_accuracy, ending.test_images)
    validated = in_short(card.val_accuracy, card.val_images)
    if card.val_accuracy is not None and card.validation_chose:
        validated += f", {CHOSE}"
    speed = f"{ending.seconds:.1f} s, {ending.images_per_second:.0f} images/s"
    return [
        f"adapter   {adapter}{early}",
        f"file      {file}  ({ending.file_bytes / 1000:.1f} kB)",
        f"accuracy  test {tested}; validation {validated}",
        *tuned,
        f"trained   {parameters}, in {speed}{origin}",
        f"backbone  {card.backbone} {frozen} sha256 {ending.fingerprint}",
        f"again     {card.command()}",
    ]
