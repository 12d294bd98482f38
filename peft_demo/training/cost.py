"""What a run would cost, from shapes alone."""

from ..adapters import meta_adapter
from ..adapters.codec import pack
from ..contracts.cards import Cost
from ..contracts.specs import RunSpec
from ..methods import find_method
from ..vit import Anatomy

CARD_BYTES = 6_000
"""About what header and card take in a file of a 10-class, 16-shot run."""


def cost(run: RunSpec, anatomy: Anatomy, classes: int, images: int = 0) -> Cost:
    """Trainable parameters, file size and steps of `run` on a backbone of this anatomy.

    `images` are those to train on, 0 for as many as the shots allow.

    `BadValue` or `UnknownName` says why there is no such run.
    """
    method = find_method(run.method)
    config = method.config(run.knobs)
    adapter = meta_adapter(method, config, anatomy, classes, doubts=True)
    trainable = method.count(anatomy, config)
    tensor_bytes = sum(tensor.nbytes for tensor in pack(adapter).values())
    return Cost(
        trainable=trainable,
        head=adapter.head_parameters,
        share=trainable / anatomy.parameters,
        file_bytes=tensor_bytes + CARD_BYTES,
        steps=run.recipe.steps(images or run.data.shots * classes) * max(1, run.tune),
        budget=method.survey is not None,
    )
