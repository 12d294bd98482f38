"""What an adapter adds to the linears of a backbone, as low-rank products: for mixing, and for writing it as a LoRA."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import nn

from ..vit import Backbone, LowRank, Site
from ..vit.seam import linear_rows
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
        found[site.whole_path].append((site, product))
    return {path: _side_by_side(backbone, path, own) for path, own in found.items()}


def _frozen(tree: nn.Module, site: Site) -> nn.Module:
    """The map at a site; of q, k and v their rows of the fused linear."""
    f = tree.get_submodule(site.whole_path)
    return linear_rows(f, site.rows) if site.role in QKV else f


def _side_by_side(backbone: Backbone, path: str, parts: list[tuple[Site, LowRank]]) -> LowRank:
    size = backbone.model.get_submodule(path).out_features
    like = parts[0][1].up
    down = torch.cat([low.down for _, low in parts])
    up = like.new_zeros(size, len(down))
    shift = like.new_zeros(size)
    at = 0
    for site, low in parts:
        up[site.rows, at : at + len(low.down)] = low.up
        if low.shift is not None:
            shift[site.rows] += low.shift
        at += len(low.down)
    return LowRank(down, up, shift if shift.any() else None)
