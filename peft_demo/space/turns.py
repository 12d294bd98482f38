"""One run at a time for all visitors: they wait in line, and nobody trains for long."""

from collections.abc import Callable, Iterator
from math import ceil
from time import sleep

from ..contracts.errors import BadValue, Busy
from ..contracts.events import Event, Progressed
from ..contracts.specs import RunSpec
from ..studio import Trainer
from ..studio.jobs import NOTHING_DONE
from ..training import Material
from ..vit import Backbone

SHOTS, STEPS, WAITING = 32, 1000, 3
"""Most training images per class, optimisation steps, and visitors in line behind the one who trains."""
HINT = "On a machine of your own there is no such limit."


class Turns:
    """`train`, for whoever is first in line. The line is the lock."""

    def __init__(self, train: Trainer):
        self._train, self._line = train, []

    def check(self, run: RunSpec) -> None:
        """Refuses at once what can be told before the images are read: `BadValue`, or `Busy` while the line is long."""
        if run.data.shots > SHOTS:
            raise BadValue(f"this Space trains on at most {SHOTS} shots, not {run.data.shots}.", HINT)
        if len(self._line) > WAITING:
            raise Busy(f"{WAITING} visitors are waiting to train already.", "Try again in a few minutes.")

    def __call__(
        self, run: RunSpec, backbone: Backbone, material: Material, stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """As `training.train`, once it is this run's turn; `BadValue` if it takes too many steps."""
        _check_steps(ceil(len(material.train[1]) / run.recipe.batch) * run.recipe.epochs)
        ticket = object()
        self._line.append(ticket)
        try:
            yield from self._wait(ticket, stop)
            if stop():
                yield NOTHING_DONE
            else:
                yield from self._train(run, backbone, material, stop)
        finally:
            self._line.remove(ticket)

    def _wait(self, ticket: object, stop: Callable[[], bool], look_s: float = 0.2) -> Iterator[Event]:
        told = 0
        while (before := self._line.index(ticket)) and not stop():
            if before != told:
                yield Progressed(f"waiting: {before} before you")
            told = before
            sleep(look_s)


def _check_steps(steps: int) -> None:
    if steps > STEPS:
        raise BadValue(
            f"this run would take {steps} steps; this Space allows {STEPS}.",
            f"Choose fewer epochs or shots. {HINT}",
        )
