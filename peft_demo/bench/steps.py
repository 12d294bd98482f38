"""What a training step of a method costs, in time and memory, beside a plain LoRA's.

The LoRA is written by hand on the same backbone (`plain.py`).
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..adapters import attach, create
from ..contracts.errors import BadBackbone, BadValue, PeftDemoError
from ..contracts.progress import Report
from ..contracts.specs import Recipe
from ..inference import disable_slow_fused_attention
from ..inference.precision import FP32, choose
from ..methods import find_method
from ..studio.comparison.contenders import Contender
from ..training.optimizer import adamw
from ..training.recompute import recompute_blocks
from ..training.step import Recorded, Step, why_not_recorded
from ..vit import Backbone, wrap
from ..vit.backbone import best_device
from ..vit.source import Source
from .huggingface import trained_peft
from .plain import PlainLoRA, plain_lora
from .random_models import CLASSES, random_timm

WARM_UP = 2
"""Steps before anything is timed."""
PEFT = "peft's LoRA on qkv, proj"
LR = 1e-4
"""Any learning rate: what a step costs does not depend on it."""

Row = dict[str, Any]
"""A method's "precision", "ms", "lora_ms", "time_ratio", "saved_mb", "saved_ratio", on CUDA
"peak_mb" and "peak_ratio"; or the "error" that this backbone refuses it with."""


class Steps:
    """Training steps of one model on one random batch, as training takes them.

    That is with its precision, gradient clipping and AdamW, and recorded where `recorded` says so.
    `groups` are those of the optimizer.
    """

    def __init__(
        self,
        model: nn.Module,
        groups: Sequence[dict[str, Any]],
        batch: int,
        size: int,
        device: torch.device,
        precision: str,
        classes: int = CLASSES,
        recorded: bool = False,
    ):
        self.precision = precision
        self.model = disable_slow_fused_attention(model.train(), device, precision)
        self.device = device
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(batch, 3, size, size, generator=generator)
        labels = torch.randint(classes, (batch,), generator=generator)
        self._batch = images.to(device), labels.to(device), None
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        optimizer = adamw([{"lr": LR, **group} for group in groups], recorded)
        recipe = Recipe(precision=precision)
        self._step = Step(self.model, self.parameters, optimizer, recipe, device)
        self._take = Recorded(self._step, batch) if recorded else self._step

    @classmethod
    def of(
        cls,
        name: str,
        knobs: Mapping[str, Any],
        backbone: Backbone,
        batch: int,
        classes: int = CLASSES,
        recipe: Recipe | None = None,
    ) -> "Steps":
        """Those of a method, with the precision, memory and graph of a recipe.

        One that surveys the images is built without its survey. `BadValue` says why steps cannot be
        recorded.
        """
        recipe = recipe or Recipe()
        method = find_method(name)
        adapter = create(method, method.config(knobs), backbone, classes, seed=0)
        model = attach(backbone, adapter)
        if recipe.memory == "low":
            recompute_blocks(model)
        groups = adapter.groups(Recipe(lr=LR, head_lr=LR))
        device = backbone.device
        precision = choose(recipe.precision, device, backbone.anatomy.width)
        recorded = recipe.graph == "on"
        if recorded and (reason := why_not_recorded(recipe, device, bool(adapter.allocator))):
            raise BadValue(f"these steps cannot be recorded: {reason}.")
        return cls(model, groups, batch, backbone.size, device, precision, classes, recorded)

    def loss(self) -> Tensor:
        """The mean cross-entropy of a forward pass."""
        return self._step.loss(self._batch)

    def take(self) -> float:
        """Takes a step; its seconds."""
        start = perf_counter()
        self._take(self._batch)
        getattr(torch, self.device.type).synchronize()
        return perf_counter() - start

    def saved_mb(self) -> float:
        """MB that a forward pass keeps for its backward, the model's own tensors not counted."""
        own = {_storage(parameter) for parameter in self.model.parameters()}
        own |= {_storage(buffer) for buffer in self.model.buffers()}
        return saved_bytes(self.loss, own) / 1e6

    def peak_mb(self) -> float:
        """Peak MB allocated on a CUDA device during a step; 0 elsewhere."""
        if self.device.type != "cuda":
            return 0.0
        self.take()  # AdamW's state is there from the second step on
        torch.cuda.reset_peak_memory_stats()
        self.take()
        return torch.cuda.max_memory_allocated() / 1e6


def saved_bytes(forward: Callable[[], Tensor], own: set[int]) -> int:
    """Bytes of the distinct storages that `forward()` keeps for its backward.

    Storages at the addresses in `own` do not count.
    """
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if _storage(tensor) not in own:
            kept[_storage(tensor)] = tensor.untyped_storage().nbytes()
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        # The result lives until the sum is made: freed memory could return at a counted address.
        result = forward()
        total = sum(kept.values())
    del result
    return total


def _storage(tensor: Tensor) -> int:
    """The address of the tensor's memory, the same for all views of it."""
    return tensor.untyped_storage().data_ptr()


class _Reference(NamedTuple):
    """The plain LoRA's steps and what they need."""

    steps: Steps
    saved_mb: float
    peak_mb: float


def measure(
    contenders: Sequence[Contender],
    source: Source,
    size: int,
    batch: int,
    pairs: int,
    report: Report,
    recipe: Recipe | None = None,
) -> list[Row]:
    """A row for each contender: a step's time and memory, and how many times the plain LoRA's, with
    the precision, memory and graph of a recipe.

    Steps alternate with the plain LoRA's, and the ratio of times is the median over neighbours, so
    that a machine that is busy meanwhile slows both. The weights are random.
    """
    model = random_timm(source)
    backbone = wrap(model, source.name, source.arch, size, best_device())
    recipe = recipe or Recipe()
    reference = _plain_steps(model, backbone, batch, recipe.precision)
    rows = []
    for place, contender in enumerate(contenders, start=1):
        gc.collect()
        report(f"[{place}/{len(contenders)}] {contender.word}", 0.0)
        rows.append(
            {
                "method": contender.word,
                **_costs(contender, backbone, batch, pairs, reference, recipe),
            }
        )
    theirs = _peft_steps(source, backbone, batch)
    if theirs is not None:
        report(PEFT, 0.0)
        rows.append({"method": PEFT, **_beside(theirs, pairs, reference)})
    return rows


def _peft_steps(source: Source, backbone: Backbone, batch: int) -> Steps | None:
    """Those of peft's LoRA, in fp32: that is how it trains unless one asks for more."""
    theirs = trained_peft(source, backbone.size, CLASSES, backbone.device)
    if theirs is None:
        return None
    groups = [{"params": [p for p in theirs.parameters() if p.requires_grad]}]
    return Steps(theirs, groups, batch, backbone.size, backbone.device, FP32)


def _plain_steps(model: nn.Module, backbone: Backbone, batch: int, precision: str) -> _Reference:
    """Those of the timm model itself, whose tensors the backbone shares."""
    plain = plain_lora(model, CLASSES).to(backbone.device)
    if not any(isinstance(module, PlainLoRA) for module in plain.modules()):
        raise BadBackbone(
            f"the LoRA to compare with is not written for {backbone.arch}.",
            "Choose a plain ViT or Swin.",
        )
    groups = [{"params": [p for p in plain.parameters() if p.requires_grad]}]
    precision = choose(precision, backbone.device, backbone.anatomy.width)
    steps = Steps(plain, groups, batch, backbone.size, backbone.device, precision)
    return _Reference(steps, steps.saved_mb(), steps.peak_mb())


def _costs(
    contender: Contender,
    backbone: Backbone,
    batch: int,
    pairs: int,
    reference: _Reference,
    recipe: Recipe,
) -> Row:
    knobs = vars(contender.config)
    try:
        steps = Steps.of(contender.method.name, knobs, backbone, batch, recipe=recipe)
    except PeftDemoError as error:
        return {"error": str(error)}
    return _beside(steps, pairs, reference)


def _beside(steps: Steps, pairs: int, reference: _Reference) -> Row:
    """What these steps cost, in turns with those of the reference."""
    saved = steps.saved_mb()
    peak = steps.peak_mb()
    seconds = [(steps.take(), reference.steps.take()) for _ in range(WARM_UP + pairs)]
    seconds = seconds[WARM_UP:]
    row = {
        "precision": steps.precision,
        "ms": 1e3 * median(own for own, _ in seconds),
        "lora_ms": 1e3 * median(plain for _, plain in seconds),
        "time_ratio": median(own / plain for own, plain in seconds),
        "saved_mb": saved,
        "saved_ratio": saved / reference.saved_mb,
    }
    if reference.peak_mb:
        row["peak_mb"] = peak
        row["peak_ratio"] = peak / reference.peak_mb
    return row


HEAD = ("METHOD", "IN", "STEP", "× LORA", "SAVED", "× LORA", "PEAK", "× LORA", "")


def printed(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`: times in ms, memory in MB, each with its ratio."""
    return [_cells(row) for row in rows]


def _cells(row: Row) -> tuple[str, ...]:
    if "error" in row:
        empty = [""] * (len(HEAD) - 2)
        return row["method"], *empty, row["error"]
    peak = ("", "")
    if "peak_mb" in row:
        peak = (f"{row['peak_mb']:.1f} MB", f"{row['peak_ratio']:.2f}")
    return (
        row["method"],
        row["precision"],
        f"{row['ms']:.1f} ms",
        f"{row['time_ratio']:.2f}",
        f"{row['saved_mb']:.1f} MB",
        f"{row['saved_ratio']:.2f}",
        *peak,
        "",
    )
