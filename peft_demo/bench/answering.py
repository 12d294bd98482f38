"""What answers cost: of one adapter attached, of it merged, and of many at once; beside peft."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .. import adapters
from ..vit import Backbone
from ..vit.source import Source
from .huggingface import Peft, build_peft
from .random_models import CLASSES, random_backbone, random_lora
from .timing import Call, Row, in_turns, milliseconds, ratio

MIXED = (1, 4, 16, 64)
"""How many adapters answer one batch together, at most one an image."""


def predict(source: Source, size: int, batch: int, turns: int) -> list[Row]:
    """Rows about a batch answered by one adapter, by it merged, and by many at once.

    Times are multiples of the frozen model's. The weights are random, the adapters LoRAs of rank 8.
    """
    backbone = random_backbone(source, size)
    loras = [random_lora(backbone, seed) for seed in range(max(_mixed(batch)))]
    images = torch.randn(batch, 3, backbone.size, backbone.size, device=backbone.device)
    calls = {"frozen": _call(backbone.model, images), **_our_calls(backbone, loras, images)}
    theirs = build_peft(source, size, CLASSES, len(loras), backbone.device)
    their_calls = _their_calls(theirs, images) if theirs is not None else {}
    seconds = in_turns({**calls, **their_calls}, turns)
    return [_against_frozen(name, seconds) for name in calls]


def _our_calls(
    backbone: Backbone, loras: Sequence[adapters.Adapter], images: Tensor
) -> dict[str, Call]:
    calls = {
        "attached": _call(adapters.attach(backbone, loras[0]).eval(), images),
        "merged": _call(adapters.merge(backbone, loras[0]).eval(), images),
    }
    for count in _mixed(len(images)):
        mixed = adapters.Mixed(backbone, loras[:count]).eval()
        calls[f"mixed {count}"] = _call(mixed, images, _adapter_numbers(images, count))
    return calls


def _their_calls(theirs: Peft, images: Tensor) -> dict[str, Call]:
    """Their calls under the names of ours, after "peft "."""
    calls = {"peft attached": _call(theirs.answer, images)}
    for count in _mixed(len(images)):
        numbers = _adapter_numbers(images, count)
        calls[f"peft mixed {count}"] = _call(theirs.answer_mixed, images, numbers)
    return calls


def _mixed(batch: int) -> list[int]:
    return [count for count in MIXED if count <= batch]


def _call(function: Callable[..., object], *arguments: object) -> Call:
    return lambda: function(*arguments)


def _adapter_numbers(images: Tensor, count: int) -> list[int]:
    """Which of `count` adapters answers each image: in turn."""
    return [n % count for n in range(len(images))]


def _against_frozen(name: str, seconds: dict[str, list[float]]) -> Row:
    frozen = seconds["frozen"]
    row = {
        "what": name,
        "ms": milliseconds(seconds[name]),
        "ratio": ratio(seconds[name], frozen),
    }
    if f"peft {name}" in seconds:
        row["peft_ratio"] = ratio(seconds[f"peft {name}"], frozen)
    return row
