"""What an adapter adds to the linears of a backbone, as low-rank products: for answering in one
batch with others, and for writing it as a LoRA."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import nn

from ..vit import Backbone, LowRank, Site
from ..vit.products import side_by_side
from ..vit.seam import linear_rows
from ..vit.sites import QKV, linear_at, qkv_rows
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
    return {
        path: side_by_side(
            linear_at(backbone.model, path).out_features,
            [(site.rows, product) for site, product in own],
        )
        for path, own in by_path.items()
    }


def apart(site: Site, product: LowRank) -> dict[str, LowRank]:
    """The products at q, k and v of one at their fused linear, by role: `joined` undone.

    Each takes the columns of `up` that reach its rows. One that adds nothing is left out, unless
    none adds anything.
    """
    moves = product.up.any() or (product.shift is not None and product.shift.any())
    parts = {}
    for role in QKV:
        rows = qkv_rows(role, site.d_out // len(QKV))
        up = product.up[rows]
        used = up.any(dim=0) if moves else torch.ones_like(up[0], dtype=torch.bool)
        shift = None if product.shift is None else product.shift[rows]
        if used.any() or (shift is not None and shift.any()):
            parts[role] = LowRank(product.down[used], up[:, used], shift)
    return parts


def _frozen_map(tree: nn.Module, site: Site) -> nn.Module:
    """The map at a site; of q, k and v their rows of the fused linear."""
    if site.role in QKV:
        return linear_rows(linear_at(tree, site.whole_path), site.rows)
    return tree.get_submodule(site.path)
