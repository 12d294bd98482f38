"""A run that first searches for the settings that suit its images.

It tries what `search.trials` lists, each as a run of its own without test images, and keeps the one
that does best on the validation images: higher accuracy, then lower loss. That run need not be
repeated. Only where `rounds` had to cut the training images into folds, the best settings are
trained on all of them in the end. The test images are looked at once.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..adapters import AdapterFile
from ..contracts.errors import TrainingFailed
from ..contracts.events import (
    Evaluated,
    Event,
    Finished,
    Improved,
    Noticed,
    Started,
    Stepped,
    Stopped,
    Surveyed,
    Tried,
)
from ..contracts.held_out import HeldOut
from ..contracts.specs import RunSpec
from ..contracts.text import duration
from ..data.few_shot_tensors import FewShotTensors
from ..inference.attached import Attached
from ..inference.precision import choose, disable_slow_fused_attention
from ..inference.predict import loss_and_accuracy, outputs
from ..vit import Backbone
from . import search
from .held_out import held_out
from .measure import Stopwatch
from .outcome import Outcome, joined
from .rounds import rounds

Stop = Callable[[], bool]
Train = Callable[[RunSpec, FewShotTensors], Iterator[Event]]
"""Does one run on these images."""


class Search:
    """Trials one after the other, and the best of them so far."""

    def __init__(
        self,
        run: RunSpec,
        backbone: Backbone,
        material: FewShotTensors,
        train: Train,
    ):
        self.backbone = backbone
        self.material = material
        self.train = train
        self.trials = search.trials(run)
        self.names = search.searched(run)
        self.rounds = rounds(material)
        self.trial_steps = sum(run.recipe.steps(len(part.train[1])) for part in self.rounds)
        self.steps = self.trial_steps * len(self.trials)
        if self.in_folds:
            self.steps += run.recipe.steps(len(material.train[1]))
        self.stopwatch = Stopwatch()
        self.best: Outcome | None = None
        self.best_trial = self.trials[0]
        self.tried = 0
        """Trials that have begun."""
        self.timed = False
        """Whether it has been said how long the search takes."""
        self.before = 0
        """Steps of the rounds that are over."""
        self.unchanged = True
        """Whether the backbone was, in every run so far."""

    @property
    def in_folds(self) -> bool:
        return len(self.rounds) > 1

    def events(self, stop: Stop) -> Iterator[Event]:
        """All that happens from the first trial's beginning to Finished or Stopped."""
        yield Noticed("info", self._plan())
        stopped = False
        errors = []
        for trial in self.trials:
            self.tried += 1
            try:
                stopped = yield from self._try(trial)
            except TrainingFailed as error:
                errors.append(error)
                self.before = self.tried * self.trial_steps
                yield self._told(trial, None, problem=error.sentence)
            stopped = stopped or (self.tried < len(self.trials) and stop())
            if stopped:
                break
        if self.best is None:
            raise errors[0]
        if stopped or not self.in_folds:
            yield from self._end(self.best, stopped)
        else:
            yield from self._train_on_all()

    def _plan(self) -> str:
        images = f"{len(self.material.val[1])} validation images"
        if self.in_folds:
            images = f"{len(self.material.train[1])} training images in {len(self.rounds)} folds"
        return (
            f"tries {len(self.trials)} settings of {', '.join(self.names)} on {images}: "
            f"{self.steps} steps in all."
        )

    def _try(self, trial: RunSpec) -> Generator[Event, None, bool]:
        """One trial; whether it was stopped. It may become the best."""
        outcomes = []
        for part in self.rounds:
            outcome = yield from self._round(trial, part)
            outcomes.append(outcome)
            if outcome.stopped:
                break
        outcome = joined(outcomes)
        complete = len(outcomes) == len(self.rounds)
        better = self.best is None or (complete and outcome.rank > self.best.rank)
        if better:
            self.best = outcome
            self.best_trial = trial
        yield self._told(trial, outcome, better)
        if better:
            yield Improved(outcome.ending.best_step, self._labelled(outcome.content))
        return outcome.stopped

    def _round(self, trial: RunSpec, part: FewShotTensors) -> Generator[Event, None, Outcome]:
        """One run of a trial, its events as those of the whole search."""
        content = b""
        judged: Evaluated | None = None
        answers: HeldOut | None = None
        leads = False
        for event in self.train(trial, part):
            match event:
                case Evaluated():
                    leads = self._leads(event)
                    judged = event if event.best else judged
                    yield replace(event, step=self.before + event.step, best=leads)
                    if not self.timed:
                        self.timed = True
                        seconds = self._seconds(self.steps, event.step)
                        yield Noticed("info", f"the whole search takes about {duration(seconds)}.")
                case Improved():
                    content = event.adapter
                    if leads:
                        yield Improved(event.step, self._labelled(content))
                case HeldOut():
                    answers = event
                case Finished() if judged:
                    self._count(trial, part, event)
                    return Outcome(
                        judged.accuracy, judged.loss, judged.images, content, event, answers
                    )
                case _:
                    yield from self._retold(event)
        raise TrainingFailed("a trial ended without a result.", "Please report this.")

    def _leads(self, event: Evaluated) -> bool:
        """Whether no trial has done better yet."""
        if self.in_folds or not event.best:
            return False
        return self.best is None or (event.accuracy, -event.loss) > self.best.rank

    def _retold(self, event: Event) -> Iterator[Event]:
        """An event of a run as one of the whole search; what each run tells anew is told once."""
        first = self.before == 0
        match event:
            case Started() if first:
                yield self._started(event)
            case Stepped():
                step = self.before + event.step
                yield replace(event, step=step, eta_s=self._seconds(self.steps - step, step))
            case Surveyed():
                yield event
            case Noticed() if first:
                yield event

    def _started(self, event: Started) -> Started:
        return replace(
            event,
            steps=self.steps,
            train_images=len(self.material.train[1]),
            val_images=len(self.material.val[1]),
            test_images=len(self.material.test[1]),
        )

    def _seconds(self, steps: int, done: int) -> float:
        """How long so many steps take as the `done` ones did, with validation and surveys."""
        return self.stopwatch.since_start / done * steps

    def _count(self, trial: RunSpec, part: FewShotTensors, ending: Finished) -> None:
        """A run is over; one that ended early counts as whole, so that steps never go back."""
        self.before += trial.recipe.steps(len(part.train[1]))
        self.unchanged = self.unchanged and ending.unchanged

    def _told(
        self, trial: RunSpec, outcome: Outcome | None, best: bool = False, problem: str = ""
    ) -> Tried:
        return Tried(
            trial=self.tried,
            trials=len(self.trials),
            settings=search.settings(trial, self.names),
            accuracy=outcome.accuracy if outcome else None,
            loss=outcome.loss if outcome else None,
            images=outcome.images if outcome else 0,
            best=best,
            problem=problem,
        )

    def _labelled(self, content: bytes, **facts: Any) -> bytes:
        """The file of an adapter with what its card has to say of the search, and other `facts`."""
        file = AdapterFile.parse(content)
        images = self.material.train if self.in_folds else self.material.val
        card = replace(
            file.card,
            trials=self.tried,
            trial_images=len(images[1]),
            trial_folds=len(self.rounds) if self.in_folds else 0,
            **facts,
        )
        return file.with_card(card).content

    def _end(self, best: Outcome, stopped: bool) -> Iterator[Event]:
        """The best trial, and its one look at the test images unless it was stopped."""
        accuracy = None
        tested = 0
        if not stopped and len(self.material.test[1]):
            answers = self._test(best.content)
            accuracy = loss_and_accuracy(answers, self.material.test[1])[1]
            tested = len(self.material.test[1])
            yield held_out(self.material, "test", answers)
            if self.material.validation:
                yield Noticed("info", self.material.validation)
        elif best.held_out and not self.in_folds:
            yield best.held_out
        content = self._labelled(best.content, test_accuracy=accuracy, test_images=tested)
        yield Improved(best.ending.best_step, content)
        figures = {**vars(best.ending), "test_accuracy": accuracy, "test_images": tested}
        ending = Stopped(**figures) if stopped else Finished(**figures)
        yield self._ending(ending, self.before, content)

    def _test(self, content: bytes) -> Tensor:
        """What a file's adapter says of the test images, [N C]."""
        attached = Attached.of_file(AdapterFile.parse(content), self.backbone)
        backbone = attached.backbone
        wanted = self.best_trial.recipe.precision
        precision = choose(wanted, backbone.device, backbone.anatomy.width)
        model = disable_slow_fused_attention(attached.model, backbone.device, precision)
        return outputs(model, self.material.test[0], backbone)

    def _train_on_all(self) -> Iterator[Event]:
        """The best settings once more, with all training images and the real validation images."""
        content = b""
        for event in self.train(self.best_trial, self.material):
            match event:
                case Evaluated():
                    yield replace(event, step=self.before + event.step)
                case Improved():
                    content = self._labelled(event.adapter)
                    yield Improved(event.step, content)
                case Finished():
                    self.unchanged = self.unchanged and event.unchanged
                    yield self._ending(event, self.before + event.step, content)
                case Noticed() | HeldOut():
                    yield event
                case _:
                    yield from self._retold(event)

    def _ending(self, event: Finished, step: int, content: bytes) -> Finished:
        return replace(
            event,
            step=step,
            seconds=self.stopwatch.since_start,
            file_bytes=len(content),
            unchanged=self.unchanged,
        )
