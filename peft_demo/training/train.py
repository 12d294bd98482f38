"""train(run, backbone, material) → events. One generator, the whole of a run.

It opens no file, prints nothing and knows no thread: a worker thread, a GPU function of a Space and the command line
all drive the same generator, and closing it ends the run. Choices are made on validation images; the test images are
looked at once, at the end, by the state that was best on validation.
"""

import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from math import ceil, isfinite
from time import perf_counter

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..adapters import Adapter, attach, create, dump
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import TrainingFailed
from ..contracts.events import (
    Evaluated,
    Event,
    Finished,
    Improved,
    Started,
    Stepped,
    Stopped,
    Surveyed,
)
from ..contracts.specs import Recipe, RunSpec
from ..data import thumbnail
from ..data.few_shot_tensors import FewShotTensors
from ..inference.inputs import CachedFeatures, ImageInputs, normalize
from ..inference.precision import autocast, disable_slow_fused_attention
from ..inference.predict import loss_and_accuracy, predict_logits, score
from ..methods import find_method
from ..version import __version__
from ..vit import Backbone
from .schedule import factor

EVALUATIONS = 10
"""Validations per run, evenly spread, the last one at the end."""


def train(
    run: RunSpec,
    backbone: Backbone,
    material: FewShotTensors,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Runs `run` and yields what happens: Started, Stepped, Evaluated, Improved ..., then Finished or Stopped.
    A method that surveys yields Surveyed before, and is shown training images alone.

    When `stop()` turns true the run ends within one step and keeps its best state. Raises `TrainingFailed` with a
    sentence when the loss is no longer finite or memory runs out; the run's memory is free once the generator is gone.
    Same run, same machine, same thread count: same bits on the CPU. Draws from torch's global random generator.
    """
    try:
        yield from _Run(run, backbone, material).events(stop)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(run, backbone) from error
    except RuntimeError as error:
        if "memory" not in str(error):
            raise
        raise _out_of_memory(run, backbone) from error


@dataclass
class _Best:
    """The best state on validation images so far: higher accuracy, then lower loss."""

    accuracy: float = -1.0
    loss: float = float("inf")
    step: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)

    def beaten_by(self, accuracy: float, loss: float) -> bool:
        return (accuracy, -loss) > (self.accuracy, -self.loss)


class _Run:
    def __init__(self, run: RunSpec, backbone: Backbone, material: FewShotTensors):
        self.run = run
        self.backbone = backbone
        self.material = material
        self.method = find_method(run.method)
        self.recipe: Recipe = run.recipe
        self.config = self.method.config(run.knobs)
        self.images, self.labels = (t.to(backbone.device) for t in material.train)
        self.order = torch.Generator().manual_seed(run.seed)
        self.steps_per_epoch = ceil(len(self.labels) / self.recipe.batch)
        self.steps = self.steps_per_epoch * self.recipe.epochs
        self.best = _Best()
        self.losses: list[tuple[int, float]] = []
        self.accuracies: list[tuple[int, float]] = []
        self.fingerprint = backbone.live_fingerprint()
        self.speed = _Speed()

    def _build(self, allocation) -> None:
        run = self.run
        recipe = self.recipe
        classes = len(self.material.classes)
        self.adapter: Adapter = create(
            self.method, self.config, self.backbone, classes, run.seed, allocation
        )
        self.model: nn.Module = disable_slow_fused_attention(
            attach(self.backbone, self.adapter), self.backbone.device
        )
        self.optimizer = torch.optim.AdamW(
            self.adapter.groups(recipe.weight_decay), lr=recipe.lr or self.method.lr
        )
        self.learner, self.shown, self.held = self._learner()

    def _learner(
        self,
    ) -> tuple[nn.Module, ImageInputs | CachedFeatures, ImageInputs | CachedFeatures]:
        """What learns, what it learns from and what it is judged by: a head alone is shown features, computed once."""
        shown = ImageInputs(self.images, self.backbone, self.recipe.augment, self.order)
        held = ImageInputs(self.material.val[0], self.backbone)
        if self.adapter.by_site() or self.adapter.replaced() or self.recipe.augment != "none":
            return self.model, shown, held
        return self.adapter.head, CachedFeatures(shown), CachedFeatures(held)

    def events(self, stop: Callable[[], bool]) -> Iterator[Event]:
        torch.manual_seed(self.run.seed)
        self._build((yield from self._survey(stop)))
        yield self._started()
        step = 0
        for step, batch in enumerate(self._batches(), start=1):
            yield self._step(step, batch)
            stopping = stop()
            if (self._due(step) and not stopping) or (stopping and not self.best.state):
                yield from self._evaluate(step)
            if stopping:
                break
        yield from self._end(step, stopped=step < self.steps)

    def _survey(self, stop: Callable[[], bool]):
        """Shows training images to the method's survey, if it has one, and returns its allocation."""
        if self.method.survey is None:
            return None
        survey = self.method.survey(
            self.backbone, self.config, len(self.material.classes), self.run.seed
        )
        order = torch.randperm(
            len(self.labels), generator=torch.Generator().manual_seed(self.run.seed)
        )
        batches = order.split(survey.batch)[: survey.batches]
        for i, chosen in enumerate(batches, start=1):
            chosen = chosen.to(self.labels.device)
            survey.add(normalize(self.images[chosen], self.backbone), self.labels[chosen])
            yield Surveyed(i, len(batches))
            if stop():
                break
        return survey.allocation()

    def _started(self) -> Started:
        m = self.material
        return Started(
            steps=self.steps,
            steps_per_epoch=self.steps_per_epoch,
            trainable=self.adapter.trainable,
            head=self.adapter.head_parameters,
            share=self.adapter.trainable / self.backbone.parameters,
            classes=m.classes,
            train_images=len(m.train[1]),
            val_images=len(m.val[1]),
            test_images=len(m.test[1]),
            device=self.backbone.device.type,
            fingerprint=self.fingerprint,
        )

    def _batches(self) -> Iterator[Tensor]:
        """Numbers of training images, each once an epoch."""
        for _ in range(self.recipe.epochs):
            yield from torch.randperm(len(self.labels), generator=self.order).split(
                self.recipe.batch
            )

    def _step(self, step: int, batch: Tensor) -> Stepped:
        rate = factor(step - 1, self.steps, self.recipe.warmup) * (self.recipe.lr or self.method.lr)
        with self.speed:
            loss = self._learn(batch, rate)
        if not isfinite(loss):
            raise TrainingFailed(
                f"the loss is not finite at step {step}.",
                f"Try a learning rate below {self.optimizer.defaults['lr']:g}.",
            )
        self.losses.append((step, loss))
        speed = step * len(self.labels) / self.steps_per_epoch / self.speed.seconds
        eta = (self.steps - step) * self.speed.seconds / step
        return Stepped(step, loss, rate, speed, eta, memory_mb(self.backbone.device))

    def _learn(self, batch: Tensor, rate: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.learner.train()
        with autocast(self.backbone.device):
            out = self.learner(self.shown[batch])
        labels = self.labels[batch.to(self.labels.device)]
        loss = F.cross_entropy(out.float(), labels, label_smoothing=self.recipe.smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.adapter.parameters(), self.recipe.clip)
        self.optimizer.step()
        return loss.item()

    def _due(self, step: int) -> bool:
        epoch, rest = divmod(step, self.steps_per_epoch)
        every = ceil(self.recipe.epochs / EVALUATIONS)
        return rest == 0 and (epoch % every == 0 or epoch == self.recipe.epochs)

    def _evaluate(self, step: int) -> Iterator[Event]:
        if not len(self.material.val[1]):
            self._keep(step, 0.0, 0.0)
            yield Improved(step, self._file())
            return
        with autocast(self.backbone.device):
            loss, accuracy = loss_and_accuracy(
                predict_logits(self.learner, self.held), self.material.val[1]
            )
        best = self.best.beaten_by(accuracy, loss)
        self.accuracies.append((step, accuracy))
        yield Evaluated(step, loss, accuracy, len(self.material.val[1]), best)
        if best:
            self._keep(step, accuracy, loss)
            yield Improved(step, self._file())

    def _keep(self, step: int, accuracy: float, loss: float) -> None:
        state = {name: t.detach().clone() for name, t in self.adapter.state().items()}
        self.best = _Best(accuracy, loss, step, state)

    def _end(self, step: int, stopped: bool) -> Iterator[Event]:
        for name, tensor in self.adapter.state().items():
            tensor.data.copy_(self.best.state[name])
        measured = not stopped and len(self.material.test[1]) > 0
        test = score(self.model, *self.material.test, self.backbone)[1] if measured else None
        file = self._file(test, len(self.material.test[1]) if measured else 0)
        yield Improved(self.best.step, file)
        after = self.backbone.live_fingerprint()
        yield (Stopped if stopped else Finished)(
            step=step,
            best_step=self.best.step,
            val_accuracy=self._val_accuracy(),
            test_accuracy=test,
            test_images=len(self.material.test[1]) if measured else 0,
            seconds=self.speed.since_start,
            images_per_second=step * len(self.labels) / self.steps_per_epoch / self.speed.seconds,
            memory_mb=memory_mb(self.backbone.device),
            trainable=self.adapter.trainable,
            head=self.adapter.head_parameters,
            file_bytes=len(file),
            fingerprint=after,
            unchanged=after == self.fingerprint,
        )

    def _val_accuracy(self) -> float | None:
        return self.best.accuracy if len(self.material.val[1]) else None

    def _file(self, test_accuracy: float | None = None, test_images: int = 0) -> bytes:
        return dump(self.adapter, self._card(test_accuracy, test_images))

    def _card(self, test_accuracy: float | None, test_images: int) -> AdapterCard:
        run = self.run
        backbone = self.backbone
        m = self.material
        return AdapterCard(
            name=run.name or f"{run.method}-{run.data.argument()}-s{run.seed}",
            method=run.method,
            knobs={
                name: getattr(self.adapter.config, name)
                for name in self.adapter.config.__dataclass_fields__
            },
            classes=m.classes,
            **backbone.facts(),
            spec=run.public().to_json(),
            trainable=self.adapter.trainable,
            head=self.adapter.head_parameters,
            val_accuracy=self._val_accuracy(),
            val_images=len(m.val[1]),
            test_accuracy=test_accuracy,
            test_images=test_images,
            seconds=round(self.speed.since_start, 2),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            split=m.fingerprint,
            seen=m.seen,
            curve=_thinned(self.losses),
            accuracy_curve=_thinned(self.accuracies),
            replaced=tuple(self.adapter.replaced()),
            extra=self.adapter.extra,
            thumbnail=_picture(m.train[0][0]) if run.thumbnail else "",
            versions={"peft_demo": __version__} | {n: version(n) for n in ("torch", "timm")},
        )


class _Speed:
    """Seconds spent learning, evaluation aside; `with speed:` around each step."""

    def __init__(self):
        self.start = perf_counter()
        self.seconds = 0.0

    def __enter__(self):
        self.entered = perf_counter()

    def __exit__(self, *_):
        self.seconds += perf_counter() - self.entered

    @property
    def since_start(self) -> float:
        return perf_counter() - self.start


def memory_mb(device: torch.device) -> float:
    """Peak MB: allocated on the device with CUDA, resident in this process otherwise."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def _picture(image: Tensor) -> str:
    """A uint8 image [3 S S] as a small JPEG in base64: new pixels, so nothing of the photo's metadata."""
    picture = Image.fromarray(image.permute(1, 2, 0).cpu().numpy())
    return b64encode(thumbnail(picture)).decode()


def _thinned(points: list[tuple[int, float]], most: int = 100) -> tuple[tuple[float, float], ...]:
    every = ceil(len(points) / most) or 1
    return tuple((step, round(value, 4)) for step, value in points[::every])


def _out_of_memory(run: RunSpec, backbone: Backbone) -> TrainingFailed:
    hint = f"Try --batch {max(1, run.recipe.batch // 2)}" + (
        ", or a smaller --size." if backbone.size > 112 else "."
    )
    return TrainingFailed(
        f"memory ran out at batch {run.recipe.batch} and {backbone.size} px.", hint
    )
