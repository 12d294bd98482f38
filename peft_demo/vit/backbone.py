"""load(name) → Backbone: a frozen Vision Transformer, exposed and fingerprinted, on its device.

Device and dtype (fp32) are chosen here, once: attached models share these very tensors, so nothing
moves them later.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import timm
import torch
from torch import nn

from ..contracts.errors import BadBackbone
from ..contracts.progress import Report
from .anatomy import Anatomy, Tree, expose, inspect_anatomy
from .architecture import set_size
from .catalogue import find
from .checkpoint import read_tensors
from .download import fetch
from .fingerprint import fingerprint as fingerprint_of
from .sites import image_size, patch_embed
from .source import Source


@dataclass(frozen=True)
class Backbone:
    """A frozen Vision Transformer: `model` is an exposed tree in eval mode, without a head."""

    name: str
    arch: str
    model: Tree
    anatomy: Anatomy
    fingerprint: str
    """SHA-256 of the source tensors: who it is."""
    size: int
    """Image side, pixels."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str

    @property
    def device(self) -> torch.device:
        """Where its tensors are, for good."""
        return patch_embed(self.model).proj.weight.device

    @property
    def parameters(self) -> int:
        """Numbers in all its tensors."""
        return self.anatomy.parameters

    def with_normalisation(self, mean: tuple[float, ...], std: tuple[float, ...]) -> "Backbone":
        """The same for images normalised like this: itself where it is so already."""
        if (self.mean, self.std) == (mean, std):
            return self
        return replace(self, mean=mean, std=std)

    def facts(self) -> dict[str, Any]:
        """What the card of an adapter says of it, by the fields of `AdapterCard`."""
        same = ("arch", "fingerprint", "size", "mean", "std", "interpolation")
        return {"backbone": self.name} | {name: getattr(self, name) for name in same}

    def live_fingerprint(self) -> str:
        """SHA-256 of the tensors as they are in memory; never compared between machines."""
        return fingerprint_of(self.model.state_dict())


def load(
    name: str = "",
    size: int = 0,
    *,
    home: Path,
    device: str = "",
    offline: bool = False,
    report: Report | None = None,
    fingerprint: str = "",
) -> Backbone:
    """The backbone called `name` ("" is the bundled one) at `size` px (0: its own).

    It stands on `device`, or on the best one there is. A `fingerprint` finds a bundled or
    registered backbone whatever it is called. Downloads report their progress. Raises
    `UnknownName`, `BadBackbone`, or `NotAllowed` when a download is needed offline.
    """
    source = find(name, home, fingerprint)
    model = _from_file(source) if source.file else _downloaded(source, offline, report)
    return _backbone(source, model, size, device or best_device())


def best_device() -> str:
    """ "cuda" where there is one, else Apple's "mps", else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def wrap(
    model: nn.Module, name: str, arch: str = "", size: int = 0, device: str = "cpu"
) -> Backbone:
    """A timm Vision Transformer of your own (created with `num_classes=0`) as a backbone."""
    return _backbone(Source(name, name, arch or name), model, size, device)


def _backbone(source: Source, model: nn.Module, size: int, device: str) -> Backbone:
    identity = fingerprint_of(model.state_dict())
    if source.fingerprint and identity != source.fingerprint:
        raise BadBackbone(
            f"the weights of {source.name} have changed since they were registered: "
            f"{source.local_file.name} is damaged.",
            "Reinstall." if source.bundled else "Register them again with `backbones add FILE`.",
        )
    if size:
        set_size(model, size)
    tree = expose(model.float().to(device))
    config = cast(dict[str, Any], model.pretrained_cfg)
    return Backbone(
        name=source.name,
        arch=source.arch,
        model=tree,
        anatomy=inspect_anatomy(tree, source.arch),
        fingerprint=identity,
        size=image_size(tree),
        mean=tuple(source.mean or config["mean"]),
        std=tuple(source.std or config["std"]),
        interpolation=source.interpolation or config["interpolation"],
    )


def _from_file(source: Source) -> nn.Module:
    model = source.create()
    tensors = read_tensors(source, model.state_dict())
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model


def _downloaded(source: Source, offline: bool, report: Report | None) -> nn.Module:
    file = fetch(source.name, offline, report)
    overlay = {"file": str(file)}
    try:
        return timm.create_model(
            source.arch, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay
        )
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BadBackbone(f"the weights of {source.name} do not fit: {reason}") from None
