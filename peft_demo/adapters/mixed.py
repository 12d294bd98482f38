"""Many adapters in one forward pass: each image of a batch meets its own.

Where all that adapters add to the linears of a backbone are low-rank products (`Delta.low_rank`),
those of K adapters are stacked and each image takes its own by index, so the frozen maps are
computed once for the whole batch:

    y_b = f(x_b) + (x_b A_i) B_i + s_i,     A [K D_in R], B [K R D_out], s [K 1 D_out],

with i the adapter of image b. Ranks that differ are filled up with zeros, and the products at q, k
and v become one at timm's fused `qkv`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import Lock

import torch
from torch import Tensor, nn

from ..contracts.errors import BadValue
from ..vit import Backbone, Delta, LowRank
from ..vit.seam import put, put_seams, share_tensors
from .adapter import Adapter
from .attach import check_sites
from .low_rank import Part, added, joined


class Mixed(nn.Module):
    """A backbone with several adapters: images [B 3 S S] and numbers [B] → B logits [C].

    `numbers` says which adapter answers for each image; C is the number of its classes.
    """

    def __init__(self, backbone: Backbone, adapters: Sequence[Adapter]) -> None:
        """Every adapter `is_mixable`; `BadValue` names a site that would never fire."""
        super().__init__()
        for adapter in adapters:
            check_sites(backbone.anatomy, adapter)
        stacks = _stacks(backbone, adapters)
        self.tree = share_tensors(backbone.model)
        put_seams(self.tree, stacks)
        put(self.tree, backbone.anatomy.head, nn.Identity())
        self.heads = nn.ModuleList(adapter.head for adapter in adapters)
        self._stacks = list(stacks.values())
        self._lock = Lock()

    def forward(self, images: Tensor, numbers: Sequence[int]) -> list[Tensor]:
        features = self.features(images, numbers)
        return [self.heads[i](row) for row, i in zip(features, numbers, strict=True)]

    def features(self, images: Tensor, numbers: Sequence[int]) -> Tensor:
        """[B D]: what the head of each image's adapter is given."""
        index = torch.as_tensor(numbers, device=images.device)
        with self._lock:
            for stack in self._stacks:
                stack.index = index
            return self.tree(images)


class Stack(Delta):
    """The low-rank products of K adapters at one linear; image b takes number `index[b]`."""

    index: Tensor

    def __init__(self, down: Tensor, up: Tensor, shift: Tensor | None) -> None:
        """`down` [K D_in R], `up` [K R D_out], `shift` [K 1 D_out]."""
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
    """Whether all that it adds are low-rank products to linears that take [B N D].

    In a Swin they do not: its tokens are grids.
    """
    if backbone.anatomy.staged or adapter.replaced():
        return False
    return all(product is not None for _, product in added(backbone, adapter))


@torch.no_grad()
def _stacks(backbone: Backbone, adapters: Sequence[Adapter]) -> dict[str, Stack]:
    """One stack for each linear to which any of the adapters adds something, by its path."""
    by_path: dict[str, dict[int, LowRank]] = defaultdict(dict)
    for number, adapter in enumerate(adapters):
        for path, product in joined(backbone, _parts(backbone, adapter)).items():
            by_path[path][number] = product
    return {path: _stacked(products, len(adapters)) for path, products in by_path.items()}


def _parts(backbone: Backbone, adapter: Adapter) -> list[Part]:
    parts = []
    for site, product in added(backbone, adapter):
        if product is None:
            raise BadValue(f"{adapter.method.title} cannot be mixed: see `is_mixable`.")
        parts.append((site, product))
    return parts


def _stacked(products: Mapping[int, LowRank], adapters: int) -> Stack:
    """The products of some of the adapters, by number; the others add nothing."""
    some = next(iter(products.values()))
    d_in = some.down.shape[1]
    d_out = some.up.shape[0]
    rank = max(len(product.down) for product in products.values())
    down = some.down.new_zeros(adapters, d_in, rank)
    up = some.up.new_zeros(adapters, rank, d_out)
    shift = some.up.new_zeros(adapters, 1, d_out)
    for number, product in products.items():
        own_rank = len(product.down)
        down[number, :, :own_rank] = product.down.T
        up[number, :own_rank] = product.up.T
        if product.shift is not None:
            shift[number] = product.shift
    return Stack(down, up, shift if shift.any() else None)
