"""What a LoRA or a DoRA does at one linear, on its way from one program to another."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..adapters.adapter import Adapter
from ..adapters.low_rank import apart
from ..adapters.merge import linear_map
from ..methods.dora import DoRA, row_norms
from ..methods.lora import PatchLoRA
from ..vit import Backbone, LowRank, Site
from ..vit.products import side_by_side
from ..vit.seam import bias
from ..vit.sites import QKV


@dataclass(frozen=True)
class Change:
    """What a LoRA does at one site."""

    site: Site
    product: LowRank
    magnitude: Tensor | None = None
    """m [D_out] of a DoRA."""


def nothing(site: Site) -> LowRank:
    """A product of rank 0."""
    return LowRank(torch.zeros(0, site.d_in), torch.zeros(site.d_out, 0))


def parts_of(change: Change, always: Sequence[str], backbone: Backbone) -> dict[str, Change]:
    """The change at a fused linear as those at q, k and v: of those that it adds to, and of
    `always`."""
    products = apart(change.site, change.product)
    parts = {}
    for role in QKV:
        if role in products or role in always:
            site = backbone.anatomy.sites[f"{change.site.name.rpartition('.')[0]}.{role}"]
            magnitude = None if change.magnitude is None else change.magnitude[site.rows]
            parts[site.name] = Change(site, products.get(role) or nothing(site), magnitude)
    return parts


def together(backbone: Backbone, site: Site, changes: Sequence[Change]) -> Change:
    """One change at `site` of those that stand at it, or at q, k and v of it.

    Rows of a DoRA where none stands have the norms of their weights as magnitudes, which leaves
    them as they are.
    """
    if [change.site.name for change in changes] == [site.name]:
        return changes[0]
    whole = slice(0, site.d_out)
    rows = [whole if change.site.name == site.name else change.site.rows for change in changes]
    products = [change.product for change in changes]
    product = side_by_side(site.d_out, list(zip(rows, products, strict=True)))
    magnitude = None
    for own, change in zip(rows, changes, strict=True):
        if change.magnitude is not None:
            magnitude = frozen_norms(backbone, site) if magnitude is None else magnitude
            magnitude[own] = change.magnitude.cpu()
    return Change(site, product, magnitude)


def change_at(
    backbone: Backbone, adapter: Adapter, site: Site, product: LowRank | None
) -> Change | None:
    """What the adapter does at a site where it adds this `product` to a linear; None for what no
    LoRA does."""
    delta = adapter.by_site()[site.name]
    if isinstance(delta, DoRA):
        return Change(site, LowRank(delta.down, delta.scale * delta.up), delta.magnitude)
    if isinstance(delta, PatchLoRA):
        product = delta.low_rank(linear_map(backbone.model, site))
    return None if product is None else Change(site, product)


def frozen_norms(backbone: Backbone, site: Site) -> Tensor:
    """The norms [D_out] of the rows of a frozen weight: the magnitude that leaves it as it is."""
    W, _ = frozen(backbone, site)
    return row_norms(W)


def frozen(backbone: Backbone, site: Site) -> tuple[Tensor, Tensor]:
    """W [D_out D_in] and b [D_out] of the frozen map at a site, on the CPU."""
    f = linear_map(backbone.model, site)
    return f.weight.detach().float().cpu(), bias(f).detach().float().cpu()
