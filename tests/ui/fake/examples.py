"""What the fake service offers: methods, pictures, adapter cards, and one whole run as a script."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from peft_demo.contracts import events as ev
from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.cards import MethodCard
from peft_demo.contracts.families import BASELINES, BOTTLENECK, LOW_RANK
from peft_demo.contracts.knobs import Knob
from peft_demo.contracts.specs import RunSpec

SHA = "4f0c" * 16
DIGITS = tuple("0123456789")
EVIL = "<img src=x onerror=alert(1)> ![a](http://evil.example/x.png)"
"""A class name that tries to become markup."""

RANK = Knob("rank", "Rank", "int", 8, 1, 256, info="width of the bottleneck")
ROLES = ("q", "k", "v", "proj", "fc1", "fc2")
TARGETS = Knob("targets", "Targets", "choices", ("q", "v"), choices=ROLES)
SCALE = Knob("scale", "Scale", "float", 1.0, 0.0, 10.0, advanced=True)
NORM = Knob("normalise", "Normalise", "bool", False, advanced=True)
STARTS = ("zero", "paper", "literal")
START = Knob("start", "Start", "choice", "zero", choices=STARTS, advanced=True)

METHODS = (
    MethodCard(
        name="linear",
        title="Linear probe",
        summary="Only the head learns.",
        formula="f(x)",
        paper="",
        url="",
        sites=(),
        merges=False,
        identity=True,
        knobs=(),
        lr=1e-2,
        head_lr=1e-2,
        family=BASELINES,
    ),
    MethodCard(
        name="lora",
        title="LoRA",
        summary="A low-rank update beside a frozen matrix.",
        formula="f(x) + s · (x Aᵀ) Bᵀ",
        paper="Hu et al. 2022",
        url="https://arxiv.org/abs/2106.09685",
        sites=("q", "v"),
        merges=True,
        identity=True,
        knobs=(RANK, TARGETS, SCALE, START),
        lr=3e-3,
        head_lr=1e-3,
        family=LOW_RANK,
    ),
    MethodCard(
        name="arc",
        title="ARC",
        summary="One projection shared by all layers.",
        formula="f(x + (x (P·c)) Pᵀ + β)",
        paper="Dong et al. 2023",
        url="https://arxiv.org/abs/2310.00000",
        sites=("qkv", "fc1"),
        merges=True,
        identity=False,
        knobs=(RANK, NORM),
        lr=5e-3,
        head_lr=1e-3,
        family=BOTTLENECK,
    ),
)


def picture(word: str, side: int = 64) -> bytes:
    """A PNG with a word on it."""
    image = Image.new("RGB", (side, side), (40 + hash(word) % 120, 90, 120))
    ImageDraw.Draw(image).text((side // 3, side // 3), word[:4], fill="white")
    png = io.BytesIO()
    image.save(png, "PNG")
    return png.getvalue()


def script(steps: int = 100, adapter: str = "lora-digits-0") -> list[ev.Event]:
    """A whole run as its journal would tell it, evaluated every ten steps."""
    events: list[ev.Event] = [
        ev.Progressed("Loading the backbone"),
        ev.Noticed("info", "Shots were capped at 16."),
        started(steps),
    ]
    for step in range(1, steps + 1):
        loss = 2.3 * 0.96**step + 0.1 * (step % 3)
        seconds_left = (steps - step) * 0.1
        events.append(ev.Stepped(step, loss, 1e-3, 210.0, seconds_left, 410.0))
        if step % 10 == 0:
            accuracy = 1 - 0.9 * 0.95**step
            events.append(ev.Evaluated(step, 2.4 * 0.97**step, accuracy, 160, True))
            events.append(ev.Saved(step, adapter, 151_000))
    return [*events, finished(steps)]


def started(steps: int) -> ev.Started:
    """The run is about to take its first step."""
    return ev.Started(
        steps=steps,
        steps_per_epoch=5,
        trainable=36864,
        head=1930,
        share=0.013,
        classes=DIGITS,
        train_images=160,
        val_images=160,
        test_images=360,
        device="cpu",
        fingerprint=SHA,
    )


def finished(
    step: int, end: type[ev.Finished] = ev.Finished, unchanged: bool = True
) -> ev.Finished:
    """The end of the run; only one that was not stopped has been tested."""
    tested = end is not ev.Stopped
    return end(
        step=step,
        best_step=step,
        val_accuracy=0.951,
        test_accuracy=0.942 if tested else None,
        test_images=360 if tested else 0,
        seconds=12.5,
        images_per_second=210.0,
        memory_mb=410.0,
        trainable=36864,
        head=1930,
        file_bytes=151_000,
        fingerprint=SHA,
        unchanged=unchanged,
    )


def card(
    name: str = "lora-digits-0", classes: Sequence[str] = DIGITS, **changes: Any
) -> AdapterCard:
    """The card of an adapter, with `changes`."""
    facts: dict[str, Any] = {
        "name": name,
        "method": "lora",
        "knobs": {"rank": 4},
        "classes": tuple(classes),
        "backbone": "tiny",
        "arch": "vit",
        "fingerprint": SHA,
        "size": 96,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "interpolation": "bicubic",
        "spec": RunSpec(method="lora", knobs={"rank": 4}).to_json(),
        "trainable": 36864,
        "head": 1930,
        "val_accuracy": 0.951,
        "val_images": 160,
        "test_accuracy": 0.942,
        "test_images": 360,
        "created": "2026-11-20T10:00:00+00:00",
        "seconds": 12.5,
        "curve": tuple((step, 2.3 * 0.96**step) for step in range(1, 101, 5)),
        "accuracy_curve": tuple((step, 1 - 0.9 * 0.95**step) for step in range(10, 101, 10)),
    }
    return AdapterCard(**{**facts, **changes})
