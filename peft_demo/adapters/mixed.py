"""Many adapters in one forward pass: each image of a batch meets its own.

Where all that adapters add to the linears of a backbone are low-rank products (`Delta.low_rank`), those of K adapters
are stacked and each image takes its own by index, so the frozen maps are computed once for the whole batch:

    y_b = f(x_b) + (x_b A_i) B_i + s_i,     A [K D_in R], B [K R D_out], s [K D_out],     i the adapter of image b

Ranks that differ are filled up with zeros, and the products at q, k and v become one at timm's fused `qkv`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from threading import Lock

import torch
from torch import Tensor, nn

from ..vit import Backbone, Delta, LowRank, Site
from ..vit.anatomy import QKV
from ..vit.seam import put, put_seams, shell
from .adapter import Adapter
from .attach import check_sites


class Mixed(nn.Module):
    """Images [B 3 S S] and the number of each one's adapter [B] → logits [C] of each image, as its head gives them."""

    def __init__(self, backbone: Backbone, adapters: Sequence[Adapter]):
        """`BadValue` names a site that would never fire; every adapter `is_mixable`."""
        super().__init__()
        for adapter in adapters:
            check_sites(backbone.anatomy, adapter)
        stacks = _stacks(backbone, adapters)
        self.tree = shell(backbone.model)
        put_seams(self.tree, stacks)
        put(self.tree, backbone.anatomy.head, nn.Identity())
        self.heads = nn.ModuleList(adapter.head for adapter in adapters)
        self._stacks, self._turn = list(stacks.values()), Lock()

    def forward(self, images: Tensor, numbers: Sequence[int]) -> list[Tensor]:
        with self._turn:
            index = torch.as_tensor(numbers, device=images.device)
            for stack in self._stacks:
                stack.index = index
            features = self.tree(images)
        return [self.heads[i](row) for row, i in zip(features, numbers, strict=True)]


class Stack(Delta):
    """The low-rank products of K adapters at one linear; `index` [B] says whose each image takes."""

    index: Tensor

    def __init__(self, down: Tensor, up: Tensor, shift: Tensor | None):
        super().__init__()
        self.down, self.up, self.shift = down, up, shift

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        y, down, up = f(x), self.down[self.index], self.up[self.index]
        if self.shift is not None:
            y = y + self.shift[self.index]
        return torch.baddbmm(y, torch.bmm(x, down), up)


@torch.no_grad()
def is_mixable(backbone: Backbone, adapter: Adapter) -> bool:
    """Whether all it adds are low-rank products to linears that take [B N D]: not in a Swin, whose tokens are grids."""
    if backbone.anatomy.staged or adapter.replaced():
        return False
    return all(added is not None for _, added in _added(backbone, adapter))


def _added(backbone: Backbone, adapter: Adapter) -> Iterator[tuple[Site, LowRank | None]]:
    for name, delta in adapter.by_site().items():
        site = backbone.anatomy.sites[name]
        f = _linear(backbone.model, site)
        yield site, None if f is None else delta.low_rank(f)


def _linear(tree: nn.Module, site: Site) -> nn.Linear | None:
    """The frozen linear at a site, of q, k and v their rows of the fused one; None where there is none."""
    path, rows = _fused(site)
    f = tree.get_submodule(path)
    if not isinstance(f, nn.Linear):
        return None
    part = nn.Linear(f.in_features, site.d_out, device="meta")
    part.weight = nn.Parameter(f.weight.detach()[rows], requires_grad=False)
    part.bias = None if f.bias is None else nn.Parameter(f.bias.detach()[rows], requires_grad=False)
    return part


def _fused(site: Site) -> tuple[str, slice]:
    """(path of the linear in the exposed tree, rows of it that are the site)."""
    if site.role not in QKV:
        return site.path, slice(None)
    start = QKV.index(site.role) * site.d_out
    return site.path.rpartition(".")[0], slice(start, start + site.d_out)


@torch.no_grad()
def _stacks(backbone: Backbone, adapters: Sequence[Adapter]) -> dict[str, Stack]:
    """One stack for each linear to which any of the adapters adds something, by its path."""
    found: dict[str, dict[int, list[LowRank]]] = defaultdict(lambda: defaultdict(list))
    for number, adapter in enumerate(adapters):
        for site, added in _added(backbone, adapter):
            path, rows = _fused(site)
            found[path][number].append(_widened(added, rows, backbone.model.get_submodule(path).out_features))
    return {path: _stacked(parts, len(adapters)) for path, parts in found.items()}


def _widened(added: LowRank, rows: slice, d_out: int) -> LowRank:
    """The same as a product of the whole fused linear, zero outside its own rows."""
    if rows == slice(None):
        return added
    up = added.up.new_zeros(d_out, added.up.shape[1])
    up[rows] = added.up
    shift = None if added.shift is None else added.up.new_zeros(d_out)
    if shift is not None:
        shift[rows] = added.shift
    return LowRank(added.down, up, shift)


def _stacked(parts: dict[int, list[LowRank]], adapters: int) -> Stack:
    some = next(iter(parts.values()))[0]
    rank = max(sum(len(part.down) for part in own) for own in parts.values())
    down = some.down.new_zeros(adapters, some.down.shape[1], rank)
    up = some.up.new_zeros(adapters, rank, some.up.shape[0])
    shift = some.up.new_zeros(adapters, 1, some.up.shape[0])
    for number, own in parts.items():
        joined = torch.cat([part.down for part in own])
        down[number, :, : len(joined)] = joined.T
        up[number, : len(joined)] = torch.cat([part.up for part in own], dim=1).T
        for part in own:
            shift[number] += 0.0 if part.shift is None else part.shift
    return Stack(down, up, shift if shift.any() else None)
