"""A backbone with an adapter around it, ready to answer: probabilities, and doubt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from .. import adapters
from ..adapters import Adapter, AdapterFile, Mixed
from ..contracts.adapter_card import AdapterCard
from ..vit import Backbone
from .doubt import doubts
from .inputs import normalize
from .predict import batch_at, outputs


@dataclass(frozen=True)
class Answered:
    """What an adapter says of N images, on the CPU."""

    probabilities: Tensor
    """Of each class, [N C]."""
    doubts: Tensor | None
    """How strange each image is, [N], see `contracts.doubt`; None where the adapter cannot say."""

    def each(self) -> "list[Answered]":
        """The same, image by image."""
        rows = self.probabilities.split(1)
        doubts = [None] * len(rows) if self.doubts is None else self.doubts.split(1)
        return [Answered(*said) for said in zip(rows, doubts, strict=True)]

    def doubt(self, image: int) -> float | None:
        return None if self.doubts is None else self.doubts[image].item()


@dataclass(frozen=True, eq=False)
class Attached:
    """A model that answers for one adapter."""

    backbone: Backbone = field(repr=False)
    adapter: Adapter = field(repr=False)
    card: AdapterCard
    model: nn.Module = field(repr=False)
    """The plain torch module: normalised images [B 3 S S] → logits [B C]."""
    strength: float = 1.0
    """How much of what the adapter adds, see `adapters.strength`."""

    @classmethod
    def of(
        cls, backbone: Backbone, adapter: Adapter, card: AdapterCard, strength: float = 1.0
    ) -> "Attached":
        """`adapter` around `backbone`; `BadValue` names a site that would never fire."""
        model = adapters.attach(backbone, adapter, strength).eval()
        return cls(backbone, adapter, card, model, strength)

    @classmethod
    def of_file(cls, file: AdapterFile, backbone: Backbone, strength: float = 1.0) -> "Attached":
        """The adapter of a file, wholly checked, around `backbone` with the file's normalisation.

        Raises what `adapters.load` and `of` raise.
        """
        backbone = backbone.with_normalisation(file.card.mean, file.card.std)
        return cls.of(backbone, adapters.load(file, backbone), file.card, strength)

    def at(self, strength: float) -> "Attached":
        """The same adapter at another strength."""
        if strength == self.strength:
            return self
        return Attached.of(self.backbone, self.adapter, self.card, strength)

    @cached_property
    def features(self) -> nn.Module:
        """Normalised images [B 3 S S] → what the head is given, [B D]."""
        return adapters.without_head(self.model, self.backbone.anatomy)

    @cached_property
    def bytes(self) -> int:
        """What the adapter takes in memory."""
        return sum(tensor.nbytes for tensor in self.adapter.state().values())

    @cached_property
    def mixable(self) -> bool:
        """Whether it can answer in one forward pass with others."""
        return self.strength == 1 and adapters.is_mixable(self.backbone, self.adapter)

    def answer(self, images: Tensor, batch: int = 0) -> Answered:
        """What it says of uint8 images [N 3 S S], `batch` at a time (0: as `batch_at` says)."""
        return self.judge(self.read(images, batch))

    def read(self, images: Tensor, batch: int = 0) -> Tensor:
        """The features [N D] of uint8 images [N 3 S S], on the CPU: what the head is given."""
        return outputs(self.features, images, self.backbone, batch)

    @torch.inference_mode()
    def judge(self, features: Tensor) -> Answered:
        """What it says of images with these features [N D]."""
        features = features.to(self.backbone.device)
        probabilities = self.adapter.head(features).float().softmax(dim=-1).cpu()
        means = self.adapter.class_means
        if means is None or self.strength != 1:  # the means are those of features at full strength
            return Answered(probabilities, None)
        return Answered(probabilities, doubts(features, means, self.card.doubt))


@dataclass(frozen=True)
class Plain:
    """A plain model that answers in the place of an adapter, with its classes: several adapters
    folded into one, or what a LoRA keeps of one."""

    backbone: Backbone
    card: AdapterCard
    model: nn.Module
    """Normalised images [B 3 S S] → logits [B C]."""

    def answer(self, images: Tensor) -> Answered:
        """What it says of uint8 images [N 3 S S]; it cannot say what is none of its classes."""
        logits = outputs(self.model, images, self.backbone)
        return Answered(logits.softmax(dim=-1), None)


@torch.inference_mode()
def answer_together(
    mixed: Mixed, group: Sequence[Attached], images: Tensor, numbers: Sequence[int], batch: int = 0
) -> list[Answered]:
    """What is said of each of the uint8 images [N 3 S S], in one pass through `mixed`.

    Image n is answered by the adapter of the group whose number is `numbers[n]`.
    """
    backbone = group[0].backbone
    answers: list[Answered] = []
    batch = batch or batch_at(backbone.size)
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        features = mixed.features(normalize(images[part], backbone), numbers[part])
        rows = zip(features, numbers[part], strict=True)
        answers += [group[number].judge(row[None]) for row, number in rows]
    return answers
