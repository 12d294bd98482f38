"""A few-shot split as tensors in memory, ready to train on."""

from dataclasses import dataclass

from torch import Tensor

from ..contracts.errors import BadData
from ..contracts.progress import Report
from ..contracts.window import Window
from .chosen import Split
from .tensors import stack

LabelledImages = tuple[Tensor, Tensor]
"""Images uint8 [N 3 S S] and labels int64 [N]."""


@dataclass(frozen=True)
class FewShotTensors:
    """The three parts of a split. `val` and `test` may be empty; `test` is looked at once, at the
    end."""

    classes: tuple[str, ...]
    train: LabelledImages
    val: LabelledImages
    test: LabelledImages
    fingerprint: str
    """SHA-256 over the hashes of the chosen images."""
    seen: tuple[str, ...]
    """Hashes of training and validation images, shortened to 12 hexadecimal digits."""
    window: Window = Window()
    """How the pictures became plain RGB; the adapter's card keeps it."""
    validation: str = ""
    """What there is to know about an accuracy on the validation images, empty if nothing."""


def few_shot_tensors(split: Split, size: int, report: Report | None = None) -> FewShotTensors:
    """Decodes the chosen images once, to uint8 tensors of `size` px; `BadData` if there is nothing
    to learn."""
    if len(split.classes) < 2 or not split.train:
        raise BadData(
            "training needs at least two classes with an image each.",
            "Add images, or another dataset.",
        )
    return FewShotTensors(
        classes=tuple(split.classes),
        train=stack(split.train, size, report, split.window),
        val=stack(split.val, size, report, split.window),
        test=stack(split.test, size, report, split.window),
        fingerprint=split.fingerprint,
        seen=tuple(digest[:12] for digest in split.seen),
        window=split.window,
        validation=split.validation,
    )
