"""The card of an adapter that a run has trained: all that a reader needs to judge and repeat it."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from math import ceil

from PIL import Image
from torch import Tensor

from ..adapters import Adapter
from ..contracts.adapter_card import AdapterCard
from ..contracts.specs import RunSpec
from ..contracts.text import visible
from ..data import thumbnail
from ..data.few_shot_tensors import FewShotTensors
from ..version import __version__
from ..vit import Backbone

CURVE_POINTS = 100
"""The most that a card keeps of one curve."""

NAME_LIMIT = 200
"""Characters of an adapter's name."""

Curve = list[tuple[int, float]]
"""(step, value)"""


@dataclass
class Measured:
    """What has been measured in a run so far. Accuracies are fractions of 1, None where there are
    no images to measure on."""

    losses: Curve = field(default_factory=list)
    accuracies: Curve = field(default_factory=list)
    """On validation images."""
    val_accuracy: float | None = None
    """Of the kept state."""
    test_accuracy: float | None = None
    test_images: int = 0
    temperature: float | None = None
    doubt: tuple[float, ...] = ()
    """As in the card."""
    seconds: float = 0.0
    """Since the run began."""


def describe(
    run: RunSpec,
    backbone: Backbone,
    material: FewShotTensors,
    adapter: Adapter,
    measured: Measured,
) -> AdapterCard:
    """The card of `adapter` at this moment of the run. It holds no path of this machine."""
    name = run.name or f"{run.method}-{run.data.argument()}-s{run.seed}"
    return AdapterCard(
        name=visible(name)[:NAME_LIMIT],
        method=run.method,
        knobs=dict(vars(adapter.config)),
        classes=material.classes,
        **backbone.facts(),
        spec=run.public().to_json(),
        trainable=adapter.trainable,
        head=adapter.head_parameters,
        val_accuracy=measured.val_accuracy,
        val_images=len(material.val[1]),
        test_accuracy=measured.test_accuracy,
        test_images=measured.test_images,
        temperature=measured.temperature,
        doubt=measured.doubt,
        seconds=round(measured.seconds, 2),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        split=material.fingerprint,
        seen=material.seen,
        curve=_thinned(measured.losses),
        accuracy_curve=_thinned(measured.accuracies),
        replaced=tuple(adapter.replaced()),
        extra=adapter.extra,
        thumbnail=_picture(material.train[0][0]) if run.thumbnail else "",
        window=material.window.values,
        ground=material.window.ground,
        versions={
            "peft_demo": __version__,
            "torch": version("torch"),
            "timm": version("timm"),
        },
    )


def _thinned(points: Sequence[tuple[int, float]]) -> tuple[tuple[float, float], ...]:
    every = ceil(len(points) / CURVE_POINTS) or 1
    return tuple((step, round(value, 4)) for step, value in points[::every])


def _picture(image: Tensor) -> str:
    """A uint8 image [3 S S] as a small JPEG in base64: new pixels, without the photo's metadata."""
    picture = Image.fromarray(image.permute(1, 2, 0).cpu().numpy())
    return b64encode(thumbnail(picture)).decode()
