"""What an adapter learns about its own answers at the end of a run, from validation images."""

from dataclasses import replace

import torch
from torch import nn

from ..adapters import Adapter, AdapterFile, attach, load, without_head
from ..adapters.class_means import class_means, distances
from ..adapters.file import seal
from ..contracts.doubt import LEAST_IMAGES
from ..contracts.errors import BadData
from ..data.few_shot_tensors import FewShotTensors
from ..inference.calibration import divide, temperature
from ..inference.doubt import quantiles
from ..inference.predict import outputs
from ..inference.probes import probed
from ..vit import Backbone


@torch.no_grad()
def learn(
    adapter: Adapter, model: nn.Module, backbone: Backbone, material: FewShotTensors
) -> tuple[float | None, tuple[float, ...]]:
    """Calibrates the head and gives the adapter its class means, in place; the temperature and the
    distances for the card, None and () where there are too few validation images.

    `model` is the adapter around `backbone`.
    """
    images, labels = material.val
    if len(labels) < LEAST_IMAGES:
        return None, ()
    features = without_head(model, backbone.anatomy)
    held_out = outputs(features, images, backbone)
    logits = adapter.head(held_out.to(backbone.device)).float().cpu()
    fitted = temperature(logits, labels)
    divide(adapter.head, fitted)
    images, labels = material.train
    learned = outputs(features, images, backbone)
    means = class_means(learned, labels, len(material.classes))
    adapter.class_means = means.to(backbone.device)
    return round(fitted, 4), quantiles(distances(held_out, means))


def calibrated(file: AdapterFile, backbone: Backbone, material: FewShotTensors) -> AdapterFile:
    """The file as if its run had ended with `learn`, from the images that it was trained and
    validated on; for files of earlier versions and of other programs.

    `BadData` where the classes are others or the validation images too few.
    """
    card = file.card
    if material.classes != card.classes:
        raise BadData(
            f"these images are not of the adapter's classes: {', '.join(card.classes[:20])}.",
            "Name the images that it was trained on.",
        )
    adapter = load(file, backbone)
    model = attach(backbone, adapter).eval()
    fitted, known = learn(adapter, model, backbone, material)
    if adapter.class_means is None or fitted is None:
        images = len(material.val[1])
        raise BadData(f"it takes {LEAST_IMAGES} validation images, and here are {images}.")
    tensors = {**file.tensors(), "class_means": adapter.class_means}
    head = [name for name in ("head.weight", "head.bias") if name in tensors]
    for name in head:
        tensors[name] = tensors[name] / fitted
    in_all = round((card.temperature or 1) * fitted, 4) if head else card.temperature
    changed = AdapterFile.parse(seal(tensors, replace(card, temperature=in_all, doubt=known)))
    return probed(changed, backbone)
