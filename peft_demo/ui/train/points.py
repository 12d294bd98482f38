"""The events of a run as points of curves, over steps or seconds."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...contracts.events import Evaluated, Event, Started, Stepped
from ..charts import Points

SPAN = 10
"""Steps that the smoothed training loss is a mean of, about; fewer where a run has few."""
Place = Callable[[int], float]
"""Step → its place on the lower axis."""


def steps(events: Iterable[Event]) -> int:
    """How many steps the run is planned to take; 0 before it has started."""
    return next((e.steps for e in events if isinstance(e, Started)), 0)


@dataclass(frozen=True)
class Told:
    """What a run has told; a step that it took twice, being interrupted, stands there once."""

    steps: Sequence[Stepped]
    evaluations: Sequence[Evaluated]
    images_per_step: float

    def second(self, step: int) -> float:
        """Seconds of learning after so many steps; those of the last step told before it."""
        place = bisect_right(self.steps, step, key=lambda event: event.step)
        if not place:
            return 0.0
        event = self.steps[place - 1]
        if event.images_per_second <= 0:
            return 0.0
        return event.step * self.images_per_step / event.images_per_second

    def loss(self, place: Place) -> Points:
        """Training loss of every step."""
        return [(place(event.step), event.loss) for event in self.steps]

    def validation_loss(self, place: Place) -> Points:
        """Loss of every evaluation."""
        return [(place(event.step), event.loss) for event in self.evaluations]

    def accuracy(self, place: Place) -> Points:
        """Validation accuracy in per cent of every evaluation."""
        return [(place(event.step), 100 * event.accuracy) for event in self.evaluations]

    def rate(self, place: Place) -> Points:
        """Learning rate of every step."""
        return [(place(event.step), event.lr) for event in self.steps]

    def gradient(self, place: Place) -> Points:
        """Norm of the gradient at every step; runs of earlier versions did not tell it."""
        return [
            (place(event.step), event.grad_norm)
            for event in self.steps
            if event.grad_norm is not None
        ]


def told(events: Sequence[Event]) -> Told:
    """What these events tell of steps and evaluations."""
    stepped = {event.step: event for event in events if isinstance(event, Stepped)}
    evaluated = {event.step: event for event in events if isinstance(event, Evaluated)}
    started = [event for event in events if isinstance(event, Started)]
    images = started[-1].train_images / started[-1].steps_per_epoch if started else 0.0
    in_order = sorted(stepped.values(), key=lambda event: event.step)
    return Told(in_order, list(evaluated.values()), images)


def smooth(points: Points) -> Points:
    """Exponential moving average, without the pull towards zero at the beginning."""
    span = min(SPAN, max(1.0, len(points) / SPAN))
    weight = 1 - 1 / span
    mean = 0.0
    mass = 0.0
    smoothed = []
    for x, value in points:
        mean = weight * mean + (1 - weight) * value
        mass = weight * mass + (1 - weight)
        smoothed.append((x, mean / mass))
    return smoothed
