"""Model inputs: images, or cached features when only the head trains."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data import augment
from ..vit import Backbone


def normalize(images: Tensor, backbone: Backbone) -> Tensor:
    """Images [B 3 S S] in 0..255 → what the backbone was trained on, fp32, on its device."""
    return normalize_by(images.to(backbone.device), backbone.mean, backbone.std)


def normalize_by(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Images [B 3 S S] in 0..255, brought to 0..1, less the mean, over the deviation; fp32."""
    means = torch.tensor(mean, device=images.device).view(3, 1, 1)
    stds = torch.tensor(std, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - means) / stds


class ImageInputs:
    """Images [N 3 L L], normalised and augmented anew each time they are taken.

    `inputs[chosen]`, with the numbers of B images, is [B 3 S S], with the backbone's S.
    `generator`, on the CPU, is the only source of chance in the augmentation.
    """

    def __init__(
        self,
        images: Tensor,
        backbone: Backbone,
        augmentation: str = "none",
        generator: torch.Generator | None = None,
    ) -> None:
        self.images = images
        self.backbone = backbone
        self.augmentation = augmentation
        self.generator = generator or torch.Generator()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, chosen: Tensor) -> Tensor:
        images = self.images[chosen.to(self.images.device)]
        augmented = augment(images, self.augmentation, self.generator, self.backbone.size)
        return normalize(augmented, self.backbone)


class CachedFeatures:
    """The frozen backbone's features [N D], fp32, of images that are not augmented.

    `features[chosen]`, with the numbers of B images, is [B D]. The features of an image are
    computed the first time they are taken, and kept.
    """

    def __init__(self, inputs: ImageInputs) -> None:
        backbone = inputs.backbone
        shape = len(inputs), backbone.anatomy.features
        self.inputs = inputs
        self.values = torch.empty(shape, device=backbone.device)
        self.known = torch.zeros(len(inputs), dtype=torch.bool, device=backbone.device)

    def __len__(self) -> int:
        return len(self.inputs)

    @torch.no_grad()
    def __getitem__(self, chosen: Tensor) -> Tensor:
        chosen = chosen.to(self.values.device)
        new = chosen[~self.known[chosen]]
        if len(new):
            model = self.inputs.backbone.model
            self.values[new] = model(self.inputs[new]).float()
            self.known[new] = True
        return self.values[chosen]
