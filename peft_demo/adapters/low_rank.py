"""What an adapter adds to the linears of a backbone, as low-rank products: for answering in one
batch with others, and for writing it as a LoRA."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import nn

from ..vit import Backbone, LowRank, Site
from ..vit.seam import linear_rows
from ..vit.sites import QKV, linear_at
from .adapter import Adapter

Part = tuple[Site, LowRank]
"""A product, and the site where a delta adds it."""


def added(backbone: Backbone, adapter: Adapter) -> Iterator[tuple[Site, LowRank | None]]:
    """The product at each site of the adapter, None where it does anything else."""
    for name, delta in adapter.by_site().items():
        site = backbone.anatomy.sites[name]
        f = _frozen_map(backbone.model, site)
        product = delta.low_rank(f) if isinstance(f, nn.Linear) else None
        yield site, product


def joined(backbone: Backbone, parts: Iterable[Part]) -> dict[str, LowRank]:
    """One product for each linear, by its path in the exposed tree.

    Those of q, k and v stand side by side on timm's fused linear.
    """
    by_path: dict[str, list[Part]] = defaultdict(list)
    for site, product in parts:
        by_path[site.whole_path].append((site, product))
    return {path: _side_by_side(backbone, path, own) for path, own in by_path.items()}


def _frozen_map(tree: nn.Module, site: Site) -> nn.Module:
    """The map at a site; of q, k and v their rows of the fused linear."""
    if site.role in QKV:
        return linear_rows(linear_at(tree, site.whole_path), site.rows)
    return tree.get_submodule(site.path)


def _side_by_side(backbone: Backbone, path: str, parts: list[Part]) -> LowRank:
    d_out = linear_at(backbone.model, path).out_features
    like = parts[0][1].up
    down = torch.cat([product.down for _, product in parts])
    up = like.new_zeros(d_out, len(down))
    shift = like.new_zeros(d_out)
    first = 0
    for site, product in parts:
        last = first + len(product.down)
        up[site.rows, first:last] = product.up
        if product.shift is not None:
            shift[site.rows] += product.shift
        first = last
    return LowRank(down, up, shift if shift.any() else None)
