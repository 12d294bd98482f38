"""Models that are asked about pictures by themselves or with another preparation: an adapter, or an
export in its own runtime."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from PIL.Image import Image
from torch import Tensor, nn

from ..data import to_tensor
from .attached import Attached
from .inputs import normalize_by

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]
"""(mean, std), each of three channels."""


class Runner(Protocol):
    """A model with the preparation of pictures that it says itself."""

    @property
    def by(self) -> str:
        """What it runs in, in words."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """As it calls them itself."""
        ...

    @property
    def size(self) -> int:
        """Image side, pixels."""
        ...

    @property
    def normalisation(self) -> Normalisation | None:
        """How it scales channels; None where that stands inside of it."""
        ...

    def own(self, picture: Image) -> Tensor:
        """Logits [C] for an RGB picture of any size, prepared as it says; fp32, on the CPU."""
        ...

    def of_square(self, square: Tensor, normalisation: Normalisation | None = None) -> Tensor:
        """The same for a uint8 square [3 S S], under another normalisation where one is given."""
        ...


@dataclass(frozen=True, eq=False)
class ModelRunner:
    """A torch module: normalised images [B 3 S S] → logits [B C]."""

    by: str
    classes: tuple[str, ...]
    size: int
    normalisation: Normalisation
    model: nn.Module = field(repr=False)
    device: torch.device | str = "cpu"
    transform: Callable[[Image], Tensor] | None = field(default=None, repr=False)
    """A preparation of its own: picture → normalised [3 S S]; None: squeezed, as here."""

    @classmethod
    def of(cls, attached: Attached) -> "ModelRunner":
        """An adapter around its backbone."""
        backbone = attached.backbone
        by = f"PEFT Demo, attached to {backbone.name}"
        normalisation = backbone.mean, backbone.std
        classes = attached.card.classes
        return cls(by, classes, backbone.size, normalisation, attached.model, backbone.device)

    def own(self, picture: Image) -> Tensor:
        if self.transform is None:
            return self.of_square(to_tensor(picture, self.size))
        return self._logits(self.transform(picture))

    def of_square(self, square: Tensor, normalisation: Normalisation | None = None) -> Tensor:
        return self._logits(normalize_by(square, *(normalisation or self.normalisation)))

    @torch.inference_mode()
    def _logits(self, image: Tensor) -> Tensor:
        return self.model(image[None].to(self.device))[0].float().cpu()
