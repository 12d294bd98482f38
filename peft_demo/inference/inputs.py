"""What a run's model is shown: pictures, or, where nothing before the head learns, what the frozen backbone makes of
them."""

import torch
from torch import Tensor

from ..data import augment
from ..vit import Backbone


def normalize(images: Tensor, backbone: Backbone) -> Tensor:
    """uint8 or float images [B 3 S S] in 0..255 → what the backbone was trained on, fp32, on its device."""
    mean, std = (
        torch.tensor(v, device=backbone.device).view(3, 1, 1) for v in (backbone.mean, backbone.std)
    )
    return (images.to(backbone.device).float() / 255 - mean) / std


class ImageInputs:
    """Images [N 3 S S] by their numbers, normalised, and each time augmented anew with chance from `order`."""

    def __init__(
        self,
        images: Tensor,
        backbone: Backbone,
        kind: str = "none",
        order: torch.Generator | None = None,
    ):
        self.images = images
        self.backbone = backbone
        self.kind = kind
        self.order = order

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, chosen: Tensor) -> Tensor:
        images = self.images[chosen.to(self.images.device)]
        return normalize(augment(images, self.kind, self.order), self.backbone)


class CachedFeatures:
    """[N D], fp32: what the backbone makes of pictures that stay as they are. Each is looked at when it is asked for
    first, and remembered."""

    def __init__(self, pictures: ImageInputs):
        backbone = pictures.backbone
        self.pictures = pictures
        self.values = torch.empty(len(pictures), backbone.anatomy.features, device=backbone.device)
        self.known = torch.zeros(len(pictures), dtype=torch.bool, device=backbone.device)

    def __len__(self) -> int:
        return len(self.pictures)

    @torch.no_grad()
    def __getitem__(self, chosen: Tensor) -> Tensor:
        chosen = chosen.to(self.values.device)
        fresh = chosen[~self.known[chosen]]
        if len(fresh):
            self.values[fresh] = self.pictures.backbone.model(self.pictures[fresh]).float()
            self.known[fresh] = True
        return self.values[chosen]
