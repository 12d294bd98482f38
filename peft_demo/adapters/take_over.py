"""A new adapter takes over what an earlier one has learned, also for other classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..contracts.errors import BadValue
from ..contracts.text import quoted
from ..vit.seam import Codec
from .adapter import Adapter
from .codec import codecs

HEAD = "head."


@torch.no_grad()
def take_over(
    adapter: Adapter, classes: Sequence[str], earlier: Adapter, earlier_classes: Sequence[str]
) -> None:
    """Gives a new `adapter` the tensors of an `earlier` one of the same method, knobs and backbone.

    The rows of the head whose class has the same name come along; those of other classes stay as a
    new head has them. Where the adapter quantises a matrix, its weights become such that it
    computes with the earlier numbers.

    Raises `BadValue` for new classes where the head is quantised.
    """
    rows = {row: earlier_classes.index(c) for row, c in enumerate(classes) if c in earlier_classes}
    codec_of = codecs(adapter)
    earlier_state = earlier.state()
    for name, tensor in adapter.state().items():
        values = earlier_state[name]
        if not name.startswith(HEAD):
            tensor.copy_(_latent(values, codec_of.get(name)))
            continue
        if name in codec_of and len(rows) < len(classes):
            raise _no_new_rows(classes, earlier_classes)
        tensor[list(rows)] = _latent(values[list(rows.values())], codec_of.get(name))


def _latent(values: Tensor, codec: Codec | None) -> Tensor:
    return values if codec is None else codec.latent(values)


def _no_new_rows(classes: Sequence[str], earlier_classes: Sequence[str]) -> BadValue:
    new = next(name for name in classes if name not in earlier_classes)
    return BadValue(
        "a quantised head has one scale for all its classes: a row for a new one, "
        f"{quoted(new)}, would change the others.",
        "Go on with the same classes or fewer, or from an adapter with a plain head.",
    )
