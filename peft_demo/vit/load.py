"""load(name) → Backbone: a frozen Vision Transformer, exposed, fingerprinted, on its device for good.

Device and dtype (fp32) are chosen here, once: attached models share these very tensors, so nothing moves them later.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from ..contracts.errors import BadBackbone, BadValue, NotAllowed
from ..contracts.progress import Report
from .anatomy import Anatomy, expose, inspect_anatomy
from .catalogue import Source, find, read_tensors, resolution
from .fingerprint import fingerprint


@dataclass(frozen=True)
class Backbone:
    """A frozen Vision Transformer. `model` is an exposed tree (see `anatomy`), in eval mode, without a head."""

    name: str
    arch: str
    model: nn.Module
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
        return self.model.patch_embed.proj.weight.device

    @property
    def parameters(self) -> int:
        return self.anatomy.parameters

    def with_normalisation(self, mean: tuple[float, ...], std: tuple[float, ...]) -> "Backbone":
        """The same for images normalised like this: itself where it is so already."""
        return self if (self.mean, self.std) == (mean, std) else replace(self, mean=mean, std=std)

    def facts(self) -> dict[str, Any]:
        """What the card of an adapter says of it, by the fields of `AdapterCard`."""
        same = ("arch", "fingerprint", "size", "mean", "std", "interpolation")
        return {"backbone": self.name} | {name: getattr(self, name) for name in same}

    def live_fingerprint(self) -> str:
        """SHA-256 of the tensors as they are in memory now; compare before and after, never between machines."""
        return fingerprint(dict(self.model.state_dict()))


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
    """The backbone called `name` ("" is the bundled one) at `size` px (0: its own), on the best device there is.

    A `fingerprint` finds a bundled or registered backbone whatever it is called. Downloads report their progress.
    Raises `UnknownName`, `BadBackbone`, or `NotAllowed` when a download is needed offline.
    """
    source = find(name, home, fingerprint)
    model = _with_tensors(source) if source.file else _download(source, offline, report)
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
    identity = fingerprint(model.state_dict())
    if size:
        model.set_input_size(img_size=resolution(model, size))
    tree = expose(model.float().to(device))
    cfg = model.pretrained_cfg
    return Backbone(
        name=source.name,
        arch=source.arch,
        model=tree,
        anatomy=inspect_anatomy(tree, source.arch),
        fingerprint=identity,
        size=model.patch_embed.img_size[0],
        mean=tuple(source.mean or cfg["mean"]),
        std=tuple(source.std or cfg["std"]),
        interpolation=source.interpolation or cfg["interpolation"],
    )


def _with_tensors(source: Source) -> nn.Module:
    tensors = {name: t.float() for name, t in read_tensors(source).items()}
    model = timm.create_model(source.arch, pretrained=False, num_classes=0, **dict(source.kwargs))
    model.load_state_dict(tensors)
    return model


def _download(source: Source, offline: bool, report: Report | None) -> nn.Module:
    file = _fetch(source.name, offline, report)
    try:
        return timm.create_model(
            source.arch, pretrained=True, num_classes=0, pretrained_cfg_overlay={"file": str(file)}
        )
    except (RuntimeError, KeyError, ValueError) as error:
        raise BadBackbone(
            f"the weights of {source.name} do not fit: {str(error).splitlines()[0]}"
        ) from None


def _fetch(name: str, offline: bool, report: Report | None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repo = timm.get_pretrained_cfg(name).hf_hub_id if timm.is_model_pretrained(name) else None
    if not repo:
        raise BadValue(
            f"timm has no pretrained weights called {name!r}.",
            "Name one with its tag, or add a file.",
        )
    progress = {"tqdm_class": _reporting(name, report)} if report else {}
    try:
        return Path(
            hf_hub_download(repo, "model.safetensors", local_files_only=offline, **progress)
        )
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        why = (
            "and downloads are switched off"
            if offline
            else "and the Hugging Face Hub cannot be reached"
        )
        raise NotAllowed(
            f"{name} is not on this machine {why}.", "Use the bundled backbone or add a file."
        ) from None
    except HfHubHTTPError as error:
        raise BadBackbone(
            f"the Hub has no safetensors weights for {name} ({error.response.status_code})."
        ) from None


def _reporting(name: str, report: Report):
    """A tqdm class that tells `report` instead of drawing a bar."""
    from tqdm.auto import tqdm

    class Reporting(tqdm):
        def display(self, *args, **kwargs):
            report(f"downloading {name}", self.n / self.total if self.total else -1.0)

    return Reporting
