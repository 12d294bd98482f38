"""How a run normalises its images, where its recipe does not leave that to the backbone."""

from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from ..vit import Backbone

STATISTICS = {
    "imagenet": (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Mean and deviation of each channel, by the recipe's word."""


def normalised(backbone: Backbone, kind: str) -> Backbone:
    """The backbone for images normalised like this, one of `NORMALISATIONS`.

    The adapter's card keeps mean and deviation, so its answers are about such images, too.
    """
    if kind == "backbone":
        return backbone
    return backbone.with_normalisation(*STATISTICS[kind])
