"""The one test of a run: its last state on pictures that are read batch by batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...adapters import AdapterFile
from ...contracts.progress import Report
from ...contracts.window import Window
from ...data import Example
from ...data.batches import AHEAD, FEW, batches
from ...data.tensors import centred
from ...inference import Attached, check_finite, normalize
from ...inference.predict import batch_at
from ...vit import Backbone


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

    Pictures are squeezed to `side` px and cut to the middle that the model takes. So many processes
    decode them, where there are more than a `FEW`.
    """
    attached = Attached.of_file(AdapterFile.parse(content), backbone)
    backbone, model = attached.backbone, attached.model
    processes = decoders if len(examples) > FEW else 0
    right = []
    for images, labels in batches(examples, side, batch_at(backbone.size), processes, window):
        answers = _answers(model, centred(images, backbone.size), backbone)
        right += (answers == labels).int().tolist()
        if report:
            report("testing", len(right) / len(examples))
    return "".join(map(str, right))


@torch.inference_mode()
def _answers(model: torch.nn.Module, images: Tensor, backbone: Backbone) -> Tensor:
    """The class of each image, [B] on the CPU."""
    logits = model(normalize(images, backbone)).float()
    check_finite(logits)
    return logits.argmax(dim=-1).cpu()
