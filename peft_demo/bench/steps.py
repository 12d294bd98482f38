"""What a training step of a method costs, in time and memory, against a LoRA written by hand on the same backbone."""

import gc
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from statistics import median
from time import perf_counter
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..adapters import attach, create
from ..contracts.errors import BadBackbone, PeftDemoError
from ..inference import autocast, disable_slow_fused_attention
from ..methods import find_method
from ..vit import Backbone, wrap
from ..vit.catalogue import Source
from ..vit.load import best_device
from .contenders import Contender
from .plain import PlainLoRA, plain_lora

CLASSES = 10
WARM_UP = 2
"""Steps before anything is timed."""


class Steps:
    """Training steps of one model on one random batch, as training takes them: its precision, clipping, AdamW."""

    def __init__(
        self,
        model: nn.Module,
        groups: Sequence[dict],
        batch: int,
        size: int,
        device: torch.device,
        classes: int,
    ):
        self.model = disable_slow_fused_attention(model.train(), device)
        self.device = device
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randn(batch, 3, size, size, generator=generator).to(device)
        self.labels = torch.randint(classes, (batch,), generator=generator).to(device)
        self.parameters = [p for group in groups for p in group["params"]]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-4)

    @classmethod
    def of(
        cls,
        name: str,
        knobs: Mapping[str, Any],
        backbone: Backbone,
        batch: int,
        classes: int = CLASSES,
    ) -> "Steps":
        """Those of a method; one that surveys is built without its survey."""
        kind = find_method(name)
        adapter = create(kind, kind.config(knobs), backbone, classes, seed=0)
        return cls(
            attach(backbone, adapter),
            adapter.groups(1e-4),
            batch,
            backbone.size,
            backbone.device,
            classes,
        )

    def loss(self) -> Tensor:
        with autocast(self.device):
            out = self.model(self.images)
        return F.cross_entropy(out.float(), self.labels)

    def take(self) -> float:
        """Takes a step; its seconds."""
        start = perf_counter()
        loss = self.loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        getattr(torch, self.device.type).synchronize()
        return perf_counter() - start

    def saved_mb(self) -> float:
        """MB that a forward pass keeps for its backward, the model's own tensors not counted."""
        own = {_place(t) for t in chain(self.model.parameters(), self.model.buffers())}
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
    """Bytes of the distinct storages that `forward()` keeps for its backward and that do not lie at places in `own`."""
    kept = {}

    def pack(t: Tensor) -> Tensor:
        if _place(t) not in own:
            kept[_place(t)] = t.untyped_storage().nbytes()
        return t.detach()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        result = (
            forward()
        )  # held until the sum is made: freed memory could come back at a place already counted
        total = sum(kept.values())
    del result
    return total


def measure(
    entrants: Sequence[Contender], source: Source, size: int, batch: int, pairs: int, progress
) -> list[dict]:
    """A row for each entrant: median milliseconds of a step, saved and peak MB, and how many times the plain LoRA's.

    Steps alternate with the plain LoRA's, and the ratio of times is the median over neighbours, so that a machine that
    is busy meanwhile slows both. The weights are random. An entrant that this backbone refuses is a row with "error".
    """
    model = timm.create_model(source.arch, pretrained=False, num_classes=0, **dict(source.kwargs))
    backbone = wrap(model, source.name, source.arch, size, best_device())
    reference = _plain(model, backbone, batch)
    memory = reference.saved_mb(), reference.peak_mb()
    rows = []
    for place, entrant in enumerate(entrants):
        gc.collect()
        progress.report(f"[{place + 1}/{len(entrants)}] {entrant.word}", 0.0)
        rows.append(
            {"method": entrant.word} | _row(entrant, backbone, batch, pairs, reference, memory)
        )
    return rows


def _plain(model: nn.Module, backbone: Backbone, batch: int) -> Steps:
    """Of the timm model itself, whose tensors the backbone shares."""
    model = plain_lora(model, CLASSES).to(backbone.device)
    if not any(isinstance(module, PlainLoRA) for module in model.modules()):
        raise BadBackbone(
            f"the LoRA to compare with is not written for {backbone.arch}.",
            "Choose a plain ViT or Swin.",
        )
    groups = [{"params": [p for p in model.parameters() if p.requires_grad]}]
    return Steps(model, groups, batch, backbone.size, backbone.device, CLASSES)


def _row(
    entrant: Contender, backbone: Backbone, batch: int, pairs: int, reference: Steps, memory
) -> dict:
    try:
        steps = Steps.of(entrant.method.name, vars(entrant.config), backbone, batch)
    except PeftDemoError as error:
        return {"error": str(error)}
    saved = steps.saved_mb()
    peak = steps.peak_mb()
    timed = [(steps.take(), reference.take()) for _ in range(WARM_UP + pairs)][WARM_UP:]
    row = {"ms": 1e3 * median(t for t, _ in timed), "lora_ms": 1e3 * median(r for _, r in timed)}
    row |= {
        "time_ratio": median(t / r for t, r in timed),
        "saved_mb": saved,
        "saved_ratio": saved / memory[0],
    }
    return row | ({"peak_mb": peak, "peak_ratio": peak / memory[1]} if memory[1] else {})


HEAD = ("METHOD", "STEP", "× LORA", "SAVED", "× LORA", "PEAK", "× LORA", "")


def printed(rows: Sequence[dict]) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`: times in ms, memory in MB, each with its multiple of the plain LoRA's."""
    return [_cells(row) for row in rows]


def _cells(row: dict) -> tuple[str, ...]:
    if "error" in row:
        return row["method"], *[""] * (len(HEAD) - 2), row["error"]
    cells = [
        f"{row['ms']:.1f} ms",
        f"{row['time_ratio']:.2f}",
        f"{row['saved_mb']:.1f} MB",
        f"{row['saved_ratio']:.2f}",
    ]
    peak = (
        [f"{row['peak_mb']:.1f} MB", f"{row['peak_ratio']:.2f}"] if "peak_mb" in row else ["", ""]
    )
    return row["method"], *cells, *peak, ""


def _place(t: Tensor) -> int:
    return t.untyped_storage().data_ptr()
