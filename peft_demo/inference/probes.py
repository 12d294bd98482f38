"""The logits of the two probe pictures (`data.probes`), with which an adapter file is finished.

Whoever changes what an adapter answers, and whoever makes a file, ends with `probed`.
"""

import torch
from torch import Tensor, nn

from ..adapters import AdapterFile
from ..contracts.adapter_card import AdapterCard
from ..contracts.probes import Probes
from ..data import to_tensor
from ..data.probes import probe_pictures
from ..vit import Backbone
from .attached import Attached
from .predict import outputs


def probe_logits(model: nn.Module, backbone: Backbone) -> Tensor:
    """What a model of this backbone's kind answers to the probe pictures: fp32 [2 C], on the
    CPU."""
    squares = [to_tensor(picture, backbone.size) for picture in probe_pictures()]
    return outputs(model, torch.stack(squares), backbone)


def probes_of(model: nn.Module, backbone: Backbone, card: AdapterCard) -> Probes:
    """The same with the classes of an adapter, in whose place the model answers."""
    rows = probe_logits(model, backbone).tolist()
    return Probes(card.classes, tuple(map(tuple, rows)))


def probed(file: AdapterFile, backbone: Backbone) -> AdapterFile:
    """The file with what its adapter answers to the probe pictures around `backbone`.

    `BadAdapter` says why it cannot be asked.
    """
    attached = Attached.of_file(file, backbone)
    return file.with_probe_logits(probe_logits(attached.model, attached.backbone))
