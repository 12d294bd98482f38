"""What an adapter adds to the linears of a backbone, as low-rank products: for mixing, and for writing it as a LoRA."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import nn

from ..vit import Backbone, LowRank, Site
from ..vit.seam import SplitLinear
from ..vit.sites import QKV
from .adapter import Adapter


def added(backbone: Backbone, adapter: Adapter) -> Iterator[tuple[Site, LowRank | None]]:
    """What stands at each site of the adapter, None where that is no product on a linear."""
    for name, delta in adapter.by_site().items():
        site = backbone.anatomy.sites[name]
        f = _frozen(backbone.model, site)
        yield site, delta.low_rank(f) if isinstance(f, nn.Linear) else None


def joined(backbone: Backbone, parts: Iterable[tuple[Site, LowRank]]) -> dict[str, LowRank]:
    """One product for each linear, by its path in the exposed tree: q, k and v side by side on timm's fused one."""
    found = defaultdict(list)
    for site, product in parts:
        found[linear_path(site)].append((site, product))
    return {path: _side_by_side(backbone, path, own) for path, own in found.items()}


def _frozen(tree: nn.Module, site: Site) -> nn.Module:
    """The map at a site; of q, k and v their rows of the fused linear."""
    f = tree.get_submodule(linear_path(site))
    return getattr(SplitLinear(f, QKV), site.role) if site.role in QKV else f


def linear_path(site: Site) -> str:
    """Where the whole linear stands of which the site may be some rows."""
    return site.path.rpartition(".")[0] if site.role in QKV else site.path


def _side_by_side(backbone: Backbone, path: str, parts: list[tuple[Site, LowRank]]) -> LowRank:
    size = backbone.model.get_submodule(path).out_features
    like = parts[0][1].up
    down = torch.cat([low.down for _, low in parts])
    up = like.new_zeros(size, len(down))
    shift = like.new_zeros(size)
    at = 0
    for site, low in parts:
        first = QKV.index(site.role) * site.d_out if site.role in QKV else 0
        up[first : first + site.d_out, at : at + len(low.down)] = low.up
        if low.shift is not None:
            shift[first : first + site.d_out] += low.shift
        at += len(low.down)
    return LowRank(down, up, shift if shift.any() else None)
