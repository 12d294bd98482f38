"""Small pictures of what an adapter was tested on, made once and kept in memory."""

import io
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from PIL import Image

from ..contracts.cards import THUMBNAILS, Sample

SIDE = 96
"""Pixels of the square."""
KEPT = 300
"""Adapters whose thumbnails are kept; a set of four takes about ten kilobytes."""


class Thumbnails:
    """What was drawn, by a key of what it was drawn from."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Sequence[bytes]] = OrderedDict()

    def get(self, key: Hashable, samples: Callable[[], Sequence[Sample]]) -> Sequence[bytes]:
        """The thumbnails kept under `key`, else drawn from the samples.

        Of nothing is kept that there was nothing: a run that goes on has pictures at its end.
        """
        kept = self._kept.get(key)
        if kept:
            return kept
        drawn = [_square(sample.picture) for sample in chosen(samples())]
        self._kept[key] = drawn
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return drawn


def chosen(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Up to `THUMBNAILS`, of as many classes as there are."""
    first = {sample.label: sample for sample in reversed(samples)}
    kinds = [sample for sample in samples if first[sample.label] is sample]
    others = [sample for sample in samples if first[sample.label] is not sample]
    return [*kinds, *others][:THUMBNAILS]


def _square(picture: bytes) -> bytes:
    """The middle of a picture as a small JPEG; nothing is enlarged."""
    with Image.open(io.BytesIO(picture)) as image:
        image = image.convert("RGB")
    width, height = image.size
    side = min(width, height)
    left = (width - side) // 2
    top = (height - side) // 2
    small = image.crop((left, top, left + side, top + side))
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return file.getvalue()
