"""The look at training images that some methods take before anything is built (SPT)."""

from collections.abc import Callable, Generator
from typing import Any

import torch

from ..contracts.events import Surveyed
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..inference import ImageInputs
from ..methods import find_method
from ..vit import Backbone


def survey(
    run: RunSpec, backbone: Backbone, material: FewShotTensors, stop: Callable[[], bool]
) -> Generator[Surveyed, None, Any]:
    """Shows training images, and no others, to the method's survey; yields Surveyed after each
    batch and returns the allocation, None for a method that does not survey.

    When `stop()` turns true, the allocation comes from the batches seen so far, at least one.
    """
    method = find_method(run.method)
    if method.survey is None:
        return None
    config = method.config(run.knobs)
    look = method.survey(backbone, config, len(material.classes), run.seed)
    images, labels = (part.to(backbone.device) for part in material.train)
    inputs = ImageInputs(images, backbone)
    generator = torch.Generator().manual_seed(run.seed)
    order = torch.randperm(len(labels), generator=generator)
    batches = order.split(look.batch)[: look.batches]
    for count, batch in enumerate(batches, start=1):
        chosen = batch.to(labels.device)
        look.add(inputs[chosen], labels[chosen])
        yield Surveyed(count, len(batches))
        if stop():
            break
    return look.allocation()
