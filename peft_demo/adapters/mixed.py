"""Many adapters in one forward pass: each image of a batch meets its own.

Where all that adapters add to the linears of a backbone are low-rank products (`Delta.low_rank`), those of K adapters
are stacked and each image takes its own by index, so the frozen maps are computed once for the whole batch:

    y_b = f(x_b) + (x_b A_i) B_i + s_i,     A [K D_in R], B [K R D_out], s [K D_out],     i the adapter of image b

Ranks that differ are filled up with zeros, and the products at q, k and v become one at timm's fused `qkv`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import Lock

import torch
from torch import Tensor, nn

from ..vit import Backbone, Delta, LowRank
from ..vit.seam import put, put_seams, share_tensors
from .adapter import Adapter
from .attach import check_sites
from .low_rank import added, joined


class Mixed(nn.Module):
    """Images [B 3 S S] and the number of each one's adapter [B] → logits [C] of each image, as its head gives them."""

    def __init__(self, backbone: Backbone, adapters: Sequence[Adapter]):
        """`BadValue` names a site that would never fire; every adapter `is_mixable`."""
        super().__init__()
        for adapter in adapters:
            check_sites(backbone.anatomy, adapter)
        stacks = _stacks(backbone, adapters)
        self.tree = share_tensors(backbone.model)
        put_seams(self.tree, stacks)
        put(self.tree, backbone.anatomy.head, nn.Identity())
        self.heads = nn.ModuleList(adapter.head for adapter in adapters)
        self._stacks = list(stacks.values())
        self._turn = Lock()

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
        self.down = down
        self.up = up
        self.shift = shift

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        y = f(x)
        down = self.down[self.index]
        up = self.up[self.index]
        if self.shift is not None:
            y += self.shift[self.index]
        return y.baddbmm_(torch.bmm(x, down), up)


@torch.no_grad()
def is_mixable(backbone: Backbone, adapter: Adapter) -> bool:
    """Whether all it adds are low-rank products to linears that take [B N D]: not in a Swin, whose tokens are grids."""
    if backbone.anatomy.staged or adapter.replaced():
        return False
    return all(product is not None for _, product in added(backbone, adapter))


@torch.no_grad()
def _stacks(backbone: Backbone, adapters: Sequence[Adapter]) -> dict[str, Stack]:
    """One stack for each linear to which any of the adapters adds something, by its path."""
    found: dict[str, dict[int, LowRank]] = defaultdict(dict)
    for number, adapter in enumerate(adapters):
        for path, product in joined(backbone, added(backbone, adapter)).items():
            found[path][number] = product
    return {path: _stacked(products, len(adapters)) for path, products in found.items()}


def _stacked(products: Mapping[int, LowRank], adapters: int) -> Stack:
    """The products of some of the adapters, by number; the others add nothing."""
    some = next(iter(products.values()))
    rank = max(len(product.down) for product in products.values())
    down = some.down.new_zeros(adapters, some.down.shape[1], rank)
    up = some.up.new_zeros(adapters, rank, some.up.shape[0])
    shift = some.up.new_zeros(adapters, 1, some.up.shape[0])
    for number, product in products.items():
        down[number, :, : len(product.down)] = product.down.T
        up[number, : len(product.down)] = product.up.T
        if product.shift is not None:
            shift[number] = product.shift
    return Stack(down, up, shift if shift.any() else None)
