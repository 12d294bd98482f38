"""Test images batch by batch: decoded in processes of their own, never all in memory."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ...adapters import AdapterFile, attach, load
from ...contracts.progress import Report
from ...contracts.window import Window
from ...data import Example
from ...data.tensors import centred, stack
from ...inference import check_finite, normalize
from ...inference.predict import batch_at
from ...vit import Backbone

AHEAD = 2
"""Batches that each process has ready."""

Batch = tuple[Tensor, Tensor]
"""Images uint8 [B 3 S S] and labels [B]."""


def most_bytes(side: int, size: int, decoders: int) -> int:
    """Bytes of decoded test images at any moment: the batches that are ready and the one in use."""
    return (AHEAD * decoders + 1) * batch_at(size) * 3 * side**2


def right_answers(
    content: bytes,
    backbone: Backbone,
    examples: Sequence[Example],
    side: int,
    decoders: int,
    report: Report | None = None,
    window: Window = Window(),
) -> str:
    """For each example whether the adapter in a file is right, "1" or "0", in their order.

    Pictures are squeezed to `side` px and cut to the middle that the model takes. They are decoded
    in so many processes, in threads of this one for 0.
    """
    file = AdapterFile.parse(content)
    backbone = backbone.with_normalisation(file.card.mean, file.card.std)
    model = attach(backbone, load(file, backbone)).eval()
    right = []
    for images, labels in batches(examples, side, batch_at(backbone.size), decoders, window):
        answers = _answers(model, centred(images, backbone.size), backbone)
        right += (answers == labels).int().tolist()
        if report:
            report("testing", len(right) / len(examples))
    return "".join(map(str, right))


def batches(
    examples: Sequence[Example],
    side: int,
    batch: int,
    decoders: int,
    window: Window = Window(),
) -> Iterator[Batch]:
    """The examples in their order, `batch` at a time. Raises `BadImage`, naming the file."""
    pictures = _Pictures(examples, side, window)
    if not decoders:
        for first in range(0, len(examples), batch):
            yield pictures.__getitems__(range(first, min(first + batch, len(examples))))
        return
    yield from DataLoader(
        pictures,
        batch_size=batch,
        num_workers=decoders,
        prefetch_factor=AHEAD,
        collate_fn=_as_it_is,
        multiprocessing_context="spawn",  # a fork of a process with threads may hang
    )


class _Pictures(Dataset):
    """Examples as a `DataLoader` takes them, a batch at once."""

    def __init__(self, examples: Sequence[Example], side: int, window: Window):
        self.examples = examples
        self.side = side
        self.window = window

    def __len__(self) -> int:
        return len(self.examples)

    def __getitems__(self, numbers: Sequence[int]) -> Batch:
        return stack([self.examples[n] for n in numbers], self.side, window=self.window)


def _as_it_is(batch: Batch) -> Batch:
    return batch


@torch.inference_mode()
def _answers(model: torch.nn.Module, images: Tensor, backbone: Backbone) -> Tensor:
    """The class of each image, [B] on the CPU."""
    logits = model(normalize(images, backbone)).float()
    check_finite(logits)
    return logits.argmax(dim=-1).cpu()
