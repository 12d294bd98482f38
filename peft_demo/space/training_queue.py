"""One run at a time for all visitors: they wait in line, and nobody trains for long."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from time import monotonic, sleep

from ..adapters import AdapterFile
from ..contracts.errors import BadValue, Busy
from ..contracts.events import Event, Progressed
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..studio.jobs import NOTHING_DONE
from ..training import Trainer
from ..vit import Backbone
from .line import LOOK_S, Line, waiting
from .time_limit import stop_at

SHOTS = 32
"""Training images per class, at most."""
STEPS = 1000
"""Optimisation steps, at most."""
BATCH = 128
"""Images in a step, at most."""
SIZE = 518
"""Side of an image in pixels, at most: the largest of the backbones that are offered."""
WAITING = 3
"""Visitors in line behind the one who trains, at most."""
SECONDS = 600
"""How long a run may train; it is looked at after each step."""
HINT = "On a machine of your own there is no such limit."


class TrainingQueue:
    """`train`, for whoever is first in line. The line is the lock."""

    def __init__(self, train: Trainer):
        self._train = train
        self._line = Line()

    def check(self, run: RunSpec, ahead: int) -> None:
        """Refuses at once what can be told before the images are read.

        `run.size` is that of its images, not 0. `ahead` visitors have started a run that has not
        ended; not all of them need be in the line yet. Raises `BadValue`, or `Busy` while the line
        is long.
        """
        if run.data.shots > SHOTS:
            raise BadValue(
                f"this Space trains on at most {SHOTS} shots, not {run.data.shots}.", HINT
            )
        if run.recipe.batch > BATCH:
            raise BadValue(
                f"this Space takes at most {BATCH} images a step, not {run.recipe.batch}.", HINT
            )
        if run.size > SIZE:
            raise BadValue(
                f"this Space trains on images of at most {SIZE} px, not {run.size}.", HINT
            )
        if ahead > WAITING:
            raise Busy(
                f"{WAITING} visitors are waiting to train already.", "Try again in a few minutes."
            )

    def __call__(
        self,
        run: RunSpec,
        backbone: Backbone,
        material: FewShotTensors,
        stop: Callable[[], bool],
        state: bytes = b"",
        origin: AdapterFile | None = None,
    ) -> Generator[Event, None, None]:
        """As `training.train`, once it is this run's turn, and for `SECONDS` at most.

        Raises `BadValue` if it takes too many steps.
        """
        _check_steps(run.recipe.steps(len(material.train[1])) * max(1, run.tune))
        with self._line.enter() as ahead:
            yield from _wait(ahead, stop)
            if stop():
                yield NOTHING_DONE
            else:
                train = partial(self._train, run, backbone, material, state=state, origin=origin)
                yield from stop_at(
                    monotonic() + SECONDS, f"this Space trains for {SECONDS} s", train, stop
                )


def _wait(ahead: Callable[[], int], stop: Callable[[], bool]) -> Iterator[Event]:
    """Ends when nobody is ahead any more, or on `stop`; says how many there are."""
    reported = 0
    while (place := ahead()) and not stop():
        if place != reported:
            yield Progressed(waiting(place))
        reported = place
        sleep(LOOK_S)


def _check_steps(steps: int) -> None:
    if steps > STEPS:
        raise BadValue(
            f"this run would take {steps} steps; this Space allows {STEPS}.",
            f"Choose fewer epochs or shots. {HINT}",
        )
