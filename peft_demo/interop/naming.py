"""What another program calls the parts of a Vision Transformer, and our sites at them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..vit import Anatomy, Site
from ..vit.anatomy import timm_name
from ..vit.sites import FUSED_LINEARS

NORMS = ("norm1", "norm2", "norm")
PATCH = "patch_embed.proj"
"""timm's path of the patch embedding's convolution."""
WRAPPER = "timm_model."
"""How the names begin in a `TimmWrapperForImageClassification` of transformers."""


@dataclass(frozen=True)
class Naming:
    """Paths of linears, norms and the patch embedding's convolution, and of the head."""

    sites: Mapping[str, Site]
    """By path. A site may have several: versions of a program differ."""
    head: str

    @property
    def paths(self) -> dict[str, str]:
        """The path of each site, by its name; the last one where there are several."""
        return {site.name: path for path, site in self.sites.items()}


def timm_naming(anatomy: Anatomy, start: str = "") -> Naming:
    """timm's names: q, k and v are one linear, `qkv`. `start` stands before all of them."""
    sites = {}
    for site in anatomy.sites.values():
        if site.role in (*FUSED_LINEARS, *NORMS, "reduction"):
            sites[start + timm_path(site.path)] = site
        elif site.role == "patch":
            sites[start + PATCH] = site
    return Naming(sites, start + anatomy.head)


def wrapper_of(paths: Iterable[str]) -> str:
    """What stands before timm's names where transformers wraps a model of timm's, or ""."""
    return WRAPPER if any(path.startswith(WRAPPER) for path in paths) else ""


def timm_path(path: str) -> str:
    """Where the module at `path` of the exposed tree stands in timm's model."""
    return timm_name(f"{path}.weight").removesuffix(".weight")
