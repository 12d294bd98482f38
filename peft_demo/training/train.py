"""train(run, backbone, material) → events. One generator is the whole of a run.

It opens no file, prints nothing and knows no thread: a worker thread, a GPU function of a Space
and the command line all drive the same generator, and closing it ends the run. Choices are made on
validation images. The test images are looked at once, at the end, with the state that is kept.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from ..adapters import AdapterFile, attach, create, dump
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import TrainingFailed
from ..contracts.events import (
    Checkpointed,
    Evaluated,
    Event,
    Finished,
    Improved,
    Noticed,
    Resumed,
    Stepped,
    Stopped,
)
from ..contracts.held_out import HeldOut
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..inference.inputs import CachedFeatures, ImageInputs
from ..inference.precision import autocast, choose, disable_slow_fused_attention
from ..inference.predict import batch_at, loss_and_accuracy, predict_logits
from ..inference.probes import probe_logits
from ..methods import find_method
from ..vit import Backbone
from . import checkpoint, doubt
from .balance import epoch, loss_weights
from .card import Measured, describe
from .drop_path import with_drop_path
from .first_and_last import ended, started
from .held_out import held_out
from .kept import Kept, clearly_worse
from .measure import Stopwatch, memory_mb
from .memory import check_step, memory_errors
from .normalisation import normalised
from .optimizer import optimizer
from .origin import begin_from, check_origin, notices
from .patience import out_of_patience, patience_notice
from .recompute import recompute_blocks
from .schedule import factor, is_validated, rate
from .step import Recorded, Step, set_rates, why_not_recorded
from .survey import survey

Inputs = ImageInputs | CachedFeatures


def train(
    run: RunSpec,
    backbone: Backbone,
    material: FewShotTensors,
    stop: Callable[[], bool] = lambda: False,
    memory_share: float = 1.0,
    *,
    state: bytes = b"",
    origin: AdapterFile | None = None,
) -> Generator[Event, None, None]:
    """Runs `run` and yields what happens: Started, Stepped, Evaluated, Improved, Checkpointed ...,
    then Finished or Stopped. A method that surveys yields Surveyed first, and sees training images
    alone.

    With the `state` of a checkpoint the run goes on from there, Resumed first, and ends with the
    bits of one that was never interrupted. `CannotResume` says why it cannot. `origin` is the
    adapter that `run` goes on from, where it names one.

    When `stop()` turns true, the run ends within one step, with the state that is kept. Raises
    `TrainingFailed` when a step would take more than `memory_share` of the free memory, when the
    loss is no longer finite, or when memory runs out; the run's memory is free once the generator
    is gone. Same run, same machine, same thread count: same bits on the CPU.
    Draws from torch's global random generator.
    """
    with memory_errors(run, backbone):
        yield from _events(run, backbone, material, stop, memory_share, state, origin)


def _events(
    run: RunSpec,
    backbone: Backbone,
    material: FewShotTensors,
    stop: Callable[[], bool],
    memory_share: float,
    state: bytes,
    origin: AdapterFile | None,
) -> Iterator[Event]:
    stopwatch = Stopwatch()
    fingerprint = backbone.live_fingerprint()
    backbone = normalised(backbone, run.recipe.normalisation)
    torch.manual_seed(run.seed)
    check_origin(run, origin, backbone)
    saved = checkpoint.parse(state) if state else None
    if saved:
        yield from saved.check(run, backbone, material)
        allocation = saved.allocation
    elif origin:
        yield from notices(run, origin, material)
        allocation = origin.card.extra
    else:
        allocation = yield from survey(run, backbone, material, stop)
    if origin:
        backbone = backbone.with_normalisation(origin.card.mean, origin.card.std)
    precision = choose(run.recipe.precision, backbone.device, backbone.anatomy.width)
    if saved and saved.precision:
        precision = saved.precision
    live = Run(run, backbone, material, allocation, fingerprint, stopwatch, precision)
    if origin:
        begin_from(live.adapter, origin, backbone, material.classes)
    live.check_memory(memory_share)
    if live.recipe.memory == "low":
        recompute_blocks(live.model)
    if live.recipe.graph == "on" and live.why_not_recorded:
        yield Noticed("info", f"The steps of this run are not recorded: {live.why_not_recorded}.")
    if saved:
        saved.restore(live)
        yield Resumed(live.step)
    yield from live.events(stop)


class Run:
    """An adapter attached to its backbone, what it learns from, and its state that is kept."""

    def __init__(
        self,
        run: RunSpec,
        backbone: Backbone,
        material: FewShotTensors,
        allocation: Any,
        fingerprint: str,
        stopwatch: Stopwatch,
        precision: str,
    ) -> None:
        method = find_method(run.method)
        config = method.config(run.knobs)
        device = backbone.device
        self.run = run
        self.backbone = backbone
        self.material = material
        self.fingerprint = fingerprint
        self.stopwatch = stopwatch
        """Inside it the run learns."""
        self.validating = Stopwatch()
        self.end_begins = 0.0
        """Seconds since the run began."""
        self.recipe = replace(method.recipe(run.recipe), precision=precision)
        self.labels = material.train[1].to(device)
        self.weights = loss_weights(self.labels, self.recipe.balance)
        self.order = torch.Generator().manual_seed(run.seed)
        self.steps_per_epoch = run.recipe.steps_per_epoch(len(self.labels))
        self.steps = run.recipe.steps(len(self.labels))
        self.step = 0
        """Steps that are done."""
        self.kept = Kept()
        self.measured = Measured()
        classes = len(material.classes)
        start = self.recipe.head_start
        self.adapter = create(method, config, backbone, classes, run.seed, allocation, start)
        dropping = with_drop_path(backbone, self.recipe.stochastic_depth, self.recipe.dropped)
        attached = attach(dropping, self.adapter)
        self.model = disable_slow_fused_attention(attached, device, precision)
        self.why_not_recorded = why_not_recorded(self.recipe, device, bool(self.adapter.allocator))
        recorded = self.recipe.graph == "on" and not self.why_not_recorded
        self.optimizer = optimizer(self.adapter, self.recipe, recorded)
        self.rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        """The highest learning rate of each of the optimiser's groups."""
        self.learner, self.inputs, self.val_inputs = self._learner()
        step = Step(self.learner, self.adapter.parameters(), self.optimizer, self.recipe, device)
        batch = min(self.recipe.batch, len(self.labels))
        self.take = Recorded(step, batch) if recorded else step

    def _learner(self) -> tuple[nn.Module, Inputs, Inputs]:
        """What learns, what it learns from and what it is validated on.

        Where the head alone learns, that is the head, and features that are computed once.
        """
        augment = self.recipe.augment
        always_the_same = augment == "none" and not self.recipe.stochastic_depth
        images = self.material.train[0].to(self.backbone.device)
        inputs = ImageInputs(images, self.backbone, augment, self.order)
        val_inputs = ImageInputs(self.material.val[0], self.backbone)
        if self.adapter.by_site() or self.adapter.replaced() or not always_the_same:
            return self.model, inputs, val_inputs
        return self.adapter.head, CachedFeatures(inputs), CachedFeatures(val_inputs)

    def check_memory(self, share: float) -> None:
        """Raises `TrainingFailed` if a step does not fit into `share` of the free memory."""
        if self.learner is self.model:  # else it learns from features, which are small
            batch = min(self.recipe.batch, len(self.labels))
            check_step(self.model, self.backbone, batch, share, self.recipe)

    def events(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """All that happens from Started to Finished or Stopped."""
        AdapterCard.from_json(self._card().to_json())  # a file must be readable
        yield started(self)
        stopped = False
        for batch in self._batches():
            if out_of_patience(self):
                yield Noticed("info", patience_notice(self))
                break
            self.step += 1
            yield self._step(self.step, batch)
            stopped = self.step < self.steps and stop()
            if stopped:
                break
            if is_validated(self.step, self.steps_per_epoch, self.recipe.epochs):
                with self.validating:
                    yield from self._evaluate(self.step)
                    yield Checkpointed(self.step, partial(checkpoint.state_of, self))
        if not self.kept.state:
            with self.validating:
                yield from self._evaluate(self.step)
        yield from self._end(stopped)

    def _batches(self) -> Iterator[Tensor]:
        """Numbers of training images [B], of the epochs that are not done."""
        for number in range(self.step // self.steps_per_epoch, self.recipe.epochs):
            if self.adapter.allocator:
                self.adapter.allocator.begin_epoch(number, self.recipe.epochs)
            order = epoch(self.labels.cpu(), self.recipe.balance, self.order)
            yield from order.split(self.recipe.batch)

    def _step(self, step: int, batch: Tensor) -> Stepped:
        share = factor(step - 1, self.steps, self.recipe.warmup)
        with self.stopwatch:
            loss, gradient = self._learn(batch, share)
        self._check_finite(loss, step)
        self.measured.losses.append((step, loss))
        eta = (self.steps - step) * self.stopwatch.seconds / step
        memory = memory_mb(self.backbone.device)
        lr = rate(share, self.recipe.lr, self.recipe.min_lr)
        speed = self.images_per_second(step)
        return Stepped(step, loss, lr, speed, eta, memory, gradient)

    def _learn(self, batch: Tensor, share: float) -> tuple[float, float]:
        """One step of the optimiser on the images numbered `batch` [B]; the loss before it and the
        norm of its gradient.

        `share` is the fraction of the highest learning rate that the step takes.
        """
        set_rates(self.optimizer, self.rates, share, self.recipe.min_lr)
        self.learner.train()
        chosen = batch.to(self.labels.device)
        weights = None if self.weights is None else self.weights[chosen]
        loss, norm = self.take((self.inputs[batch], self.labels[chosen], weights))
        if self.adapter.allocator:
            self.adapter.allocator.after_step()
        return loss.item(), norm.item()

    def _autocast(self) -> torch.autocast:
        return autocast(self.backbone.device, self.recipe.precision)

    def _check_finite(self, loss: float, step: int) -> None:
        if not isfinite(loss):
            raise TrainingFailed(
                f"the loss is not finite at step {step}.",
                f"Try a learning rate below {self.recipe.lr:g}.",
            )

    def images_per_second(self, step: int) -> float:
        """Of learning, without evaluation."""
        images = step * len(self.labels) / self.steps_per_epoch
        return images / self.stopwatch.seconds

    def _evaluate(self, step: int) -> Iterator[Event]:
        """Validates, and keeps the state if the recipe has it so. Without validation images it is
        always kept."""
        labels = self.material.val[1]
        if not len(labels):
            self.kept = Kept.now(self.adapter, 0.0, 0.0, step)
            yield Improved(step, self._file())
            return
        logits = self._val_logits()
        loss, accuracy = loss_and_accuracy(logits, labels)
        self._check_finite(loss, step)
        self.measured.accuracies.append((step, accuracy))
        kept = self._is_kept(accuracy, loss, len(labels))
        yield Evaluated(step, loss, accuracy, len(labels), kept)
        if kept:
            self.kept = Kept.now(self.adapter, accuracy, loss, step, logits)
            self.measured.val_accuracy = accuracy
            yield Improved(step, self._file())

    def _is_kept(self, accuracy: float, loss: float, images: int) -> bool:
        """Whether the state of the latest validation takes the place of the one that is kept."""
        match self.recipe.keep:
            case "last":
                return True
            case "best":
                return self.kept.beaten_by(accuracy, loss)
            case _:
                highest = max(accuracy for _, accuracy in self.measured.accuracies)
                return not clearly_worse(accuracy, highest, images)

    def _val_logits(self) -> Tensor:
        """What the adapter says of the validation images at this moment, [N C]."""
        with self._autocast():
            return predict_logits(self.learner, self.val_inputs, batch_at(self.backbone.size))

    def _end(self, stopped: bool) -> Iterator[Event]:
        """The kept state again, its one look at the test images unless the run was stopped."""
        self.end_begins = self.stopwatch.since_start
        self.kept.restore(self.adapter)
        self._learn_doubt()
        if not stopped and len(self.material.test[1]):
            yield self._test(self.step)
            if self.material.validation:
                yield Noticed("info", self.material.validation)
        elif len(self.material.val[1]):
            yield held_out(self.material, "val", self._kept_on_validation())
        file = self._finished_file()
        yield Improved(self.kept.step, file)
        yield ended(self, Stopped if stopped else Finished, len(file))

    def _learn_doubt(self) -> None:
        """Makes the probabilities of the kept state true, and has it know what is none of its
        classes; see `inference.calibration` and `inference.doubt`."""
        measured = doubt.learn(self.adapter, self.model, self.backbone, self.material)
        self.measured.temperature, self.measured.doubt = measured
        if self.kept.logits is not None:
            self.kept.logits = self.kept.logits / (self.measured.temperature or 1.0)

    def _test(self, step: int) -> HeldOut:
        images, labels = self.material.test
        inputs = ImageInputs(images, self.backbone)
        answers = predict_logits(self.model, inputs, batch_at(self.backbone.size))
        loss, accuracy = loss_and_accuracy(answers, labels)
        self._check_finite(loss, step)
        self.measured.test_accuracy = accuracy
        self.measured.test_images = len(labels)
        return held_out(self.material, "test", answers)

    def _kept_on_validation(self) -> Tensor:
        """What the kept state says of the validation images, [N C]; it is in the adapter."""
        return self._val_logits() if self.kept.logits is None else self.kept.logits

    def _file(self) -> bytes:
        self.measured.seconds = self.stopwatch.since_start
        return dump(self.adapter, self._card())

    def _finished_file(self) -> bytes:
        """The file of the kept state, with what it answers to the probe pictures."""
        logits = probe_logits(self.model, self.backbone)
        return AdapterFile.parse(self._file()).with_probe_logits(logits).content

    def _card(self) -> AdapterCard:
        run = replace(self.run, recipe=self.recipe)  # a default that changes leaves it as it was
        return describe(run, self.backbone, self.material, self.adapter, self.measured)
