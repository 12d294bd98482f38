"""What a run would cost, from shapes alone."""

from math import ceil

from ..adapters import meta_adapter
from ..adapters.codec import pack
from ..contracts.cards import Cost
from ..contracts.specs import RunSpec
from ..methods import find_method
from ..vit import Anatomy

CARD_BYTES = 6_000
"""About what header and card take in a file of a 10-class, 16-shot run."""


def cost(run: RunSpec, anatomy: Anatomy, classes: int) -> Cost:
    """Trainable parameters, file size and steps of `run` on a backbone of this anatomy; `BadValue` if it cannot be."""
    kind = find_method(run.method)
    config = kind.config(run.knobs)
    adapter = meta_adapter(kind, config, anatomy, classes)
    size = sum(t.nbytes for t in pack(adapter).values())
    trainable = kind.count(anatomy, config)
    steps = run.recipe.epochs * ceil(run.data.shots * classes / run.recipe.batch)
    share = trainable / anatomy.parameters
    budget = kind.survey is not None
    return Cost(trainable, adapter.head_parameters, share, size + CARD_BYTES, steps, budget)
