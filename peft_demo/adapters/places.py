"""Where an adapter has something of its own: at which sites, and at which tensors beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..contracts.changes import kind_rank
from ..vit import Anatomy, Delta, Site
from ..vit.anatomy import timm_name
from ..vit.sites import QKV
from .adapter import Adapter


@dataclass(frozen=True)
class Place:
    """A delta at a site, tensors that are replaced, or both."""

    name: str
    kind: str
    layer: int
    """Index of its block; -1 outside the blocks."""
    site: Site | None = None
    delta: Delta | None = None
    replaced: dict[str, str] = field(default_factory=dict)
    """What a tensor is here ("weight", "bias") → its name in timm."""


def places(anatomy: Anatomy, adapter: Adapter) -> list[Place]:
    """Those outside the blocks first, then block by block, as a token passes them."""
    found: dict[str, Place] = {}
    for name, delta in adapter.by_site().items():
        site = anatomy.sites[name]
        found[name] = Place(name, site.role, site.block, site, delta)
    sites = _by_module(anatomy)
    for name in adapter.replaced():
        place, part = _of_tensor(anatomy, sites, name)
        found.setdefault(place.name, place).replaced[part] = name
    return sorted(found.values(), key=_turn)


def _turn(place: Place) -> tuple[int, int]:
    return place.layer, kind_rank(place.kind)


def _by_module(anatomy: Anatomy) -> dict[str, Site]:
    """The site at each module of timm's that has a weight, by the module's path."""
    return {_module(site): site for site in anatomy.sites.values() if site.role not in QKV}


def _module(site: Site) -> str:
    path = "patch_embed.proj" if site.path == "patch_embed" else site.path
    return timm_name(f"{path}.weight").removesuffix(".weight")


def _of_tensor(anatomy: Anatomy, sites: Mapping[str, Site], name: str) -> tuple[Place, str]:
    """Where a tensor of the backbone belongs, and what it is there."""
    path, _, part = name.rpartition(".")
    if part not in ("weight", "bias"):
        path = name
        part = "weight"
    if path in sites:
        site = sites[path]
        return Place(site.name, site.role, site.block, site), part
    block = _block_around(anatomy, name)
    if block is None:
        return Place(path, path, -1), part
    return Place(path, path.removeprefix(f"{block.name}."), block.block), part


def _block_around(anatomy: Anatomy, name: str) -> Site | None:
    blocks = (site for site in anatomy.sites.values() if site.role == "block")
    return next((site for site in blocks if name.startswith(f"{site.name}.")), None)
