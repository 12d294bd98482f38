"""Labelled pictures: from bundled sets, folders, zips, class cards and the Hub to few-shot tensors
in memory.

    dataset = open_dataset(spec)                      # sources/       classes, examples, rejects
    chosen = split(dataset, spec.shots, spec.seed)    # few_shot.py    train, val, test
    report = report_of(dataset, chosen)               #                what a person should know
    images, labels = stack(chosen.train, size=112)    # tensors.py     uint8 [N 3 S S], int64 [N]

Everything is lazy: no pixel is decoded before it is chosen, and torch, scikit-learn and `datasets`
are imported by the first call that needs them.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .chosen import Split
from .dataset import Dataset, Example
from .few_shot import readable, split
from .images import Picture, decode, keepsake, lossless, thumbnail
from .notices import report_of
from .pictures import find_pictures, sent_pictures
from .sources import find_source, open_dataset, parse
from .sources.bundled import cards

if TYPE_CHECKING:
    from .tensors import augment, stack, to_tensor

__all__ = [
    "Dataset",
    "Example",
    "Picture",
    "Split",
    "augment",
    "cards",
    "decode",
    "find_pictures",
    "find_source",
    "keepsake",
    "lossless",
    "open_dataset",
    "parse",
    "readable",
    "report_of",
    "sent_pictures",
    "split",
    "stack",
    "thumbnail",
    "to_tensor",
]

__getattr__ = lazy_names(__name__, {".tensors": ["augment", "stack", "to_tensor"]})
