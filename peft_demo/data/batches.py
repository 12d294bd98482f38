"""Pictures batch by batch: decoded in processes of their own, never all in memory."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..contracts.window import Window
from .dataset import Example
from .tensors import stack

AHEAD = 2
"""Batches that each process has ready."""
FEW = 2_000
"""Fewer pictures than this are decoded in threads before a process would have started."""

Batch = tuple[Tensor, Tensor]
"""Images uint8 [B 3 S S] and labels [B]."""


def batches(
    examples: Sequence[Example],
    size: int,
    batch: int,
    processes: int,
    window: Window = Window(),
) -> Iterator[Batch]:
    """The examples in their order, `batch` at a time, as `stack` makes them.

    So many processes decode them, threads of this one for 0. At any moment there are
    `AHEAD` · `processes` + 1 batches. Raises `BadImage`, naming the file.
    """
    pictures = _Pictures(examples, size, window)
    if not processes:
        for first in range(0, len(examples), batch):
            yield pictures.__getitems__(range(first, min(first + batch, len(examples))))
        return
    yield from DataLoader(
        pictures,
        batch_size=batch,
        num_workers=processes,
        prefetch_factor=AHEAD,
        collate_fn=_as_it_is,
        multiprocessing_context="spawn",  # a fork of a process with threads may hang
    )


class _Pictures(Dataset):
    """Examples as a `DataLoader` takes them, a batch at once."""

    def __init__(self, examples: Sequence[Example], size: int, window: Window):
        self.examples = examples
        self.size = size
        self.window = window

    def __len__(self) -> int:
        return len(self.examples)

    def __getitems__(self, numbers: Sequence[int]) -> Batch:
        return stack([self.examples[n] for n in numbers], self.size, window=self.window)


def _as_it_is(batch: Any) -> Any:
    return batch
