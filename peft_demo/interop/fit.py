"""Any adapter that folds into the weights, as a LoRA: what it changed, cut at a rank.

ΔW = U Σ Vᵀ is cut after R singular values, which is the product of rank R that is nearest to it in
Frobenius's norm (Eckart and Young, Psychometrika 1936). Biases move whole, as the LoRA's own, and
the patch embedding is kept whole. What a norm changed goes into the linear behind it: with γ' x +
β' where γ x + β stood, W' becomes W' diag(γ' / γ), and b' becomes b' + W' (β' - (γ' / γ) β). Tokens
and positions have no place in a LoRA and are left out.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from ..adapters import Adapter, merge
from ..contracts.errors import CannotExport, CannotMerge
from ..vit import Backbone, LowRank
from ..vit.anatomy import timm_name
from ..vit.seam import bias, put, share_tensors
from ..vit.sites import FUSED_LINEARS, linear_at
from .naming import PATCH

BEHIND = {"norm1": "qkv", "norm2": "fc1"}
"""Role of a norm → that of the linear behind it."""
NOTHING = 1e-6
"""Singular values below this share of the largest are rounding."""


@dataclass(frozen=True)
class Fit:
    """What of an adapter a LoRA can say."""

    products: dict[str, LowRank]
    """By the path of the linear in the exposed tree."""
    head: nn.Linear
    patch: nn.Module | None
    """The patch embedding's convolution, where the adapter changed it."""
    kept: float
    """The share of ‖ΔW‖² over all linears, 0 to 1."""
    left_out: tuple[str, ...]
    """Tensors of the backbone that the adapter changed and a LoRA has no place for."""
    model: nn.Module
    """The backbone with it: images [B 3 S S] → logits [B C]."""


@torch.no_grad()
def fit(backbone: Backbone, adapter: Adapter, rank: int) -> Fit:
    """The LoRA of rank at most `rank` that is nearest to the adapter, linear by linear.

    `CannotExport` for a method that does not fold, or that changed no linear.
    """
    try:
        merged = merge(backbone, adapter)
    except CannotMerge as error:
        raise CannotExport(str(error), "Use `export --to onnx`.") from None
    _move_norms(backbone, merged)
    others = _moved_elsewhere(backbone, merged)
    model = share_tensors(backbone.model)
    patch = None
    if any(name.startswith(PATCH) for name in others):
        patch = merged.get_submodule(PATCH)
        put(model, PATCH, patch)
    products = {}
    kept = whole = 0.0
    for path in _linears(backbone):
        frozen, moved = linear_at(backbone.model, path), linear_at(merged, path)
        product, energy, total = _nearest(frozen, moved, rank)
        kept, whole = kept + energy, whole + total
        if product is not None:
            products[path] = product
            put(model, path, _with(frozen, product))
    head = cast(nn.Linear, merged.get_submodule(backbone.anatomy.head))
    put(model, backbone.anatomy.head, head)
    if not products:
        raise CannotExport("it changed no linear, so there is no LoRA to write.")
    left_out = tuple(timm_name(name) for name in others if not name.startswith(PATCH))
    return Fit(products, head, patch, kept / whole if whole else 1.0, left_out, model.eval())


def _linears(backbone: Backbone) -> list[str]:
    """Paths of the linears that a LoRA can stand on."""
    roles = (*FUSED_LINEARS, "reduction")
    return [site.path for site in backbone.anatomy.sites.values() if site.role in roles]


def _move_norms(backbone: Backbone, merged: nn.Module) -> None:
    """Gives every norm of the merged tree its frozen tensors back, and the linear behind it what
    they had changed."""
    sites = backbone.anatomy.sites
    for site in sites.values():
        if site.role not in (*BEHIND, "norm"):
            continue
        frozen = cast(nn.LayerNorm, backbone.model.get_submodule(site.path))
        moved = cast(nn.LayerNorm, merged.get_submodule(site.path))
        if not isinstance(frozen, nn.LayerNorm) or _same(frozen, moved):
            continue
        path = backbone.anatomy.head
        if site.role in BEHIND:
            block = site.name.rpartition(".")[0]
            path = sites[f"{block}.{BEHIND[site.role]}"].path
        put(merged, path, _behind(frozen, moved, linear_at(merged, path), site.name))
        put(merged, site.path, frozen)


def _behind(frozen: nn.LayerNorm, moved: nn.LayerNorm, linear: nn.Linear, name: str) -> nn.Linear:
    ratio = moved.weight.double() / frozen.weight.double()
    if not ratio.isfinite().all():
        raise CannotExport(f"{name} has a zero that the adapter moved; no linear can take that up.")
    W = linear.weight.double()
    shift = W @ (moved.bias.double() - ratio * frozen.bias.double())
    return _linear(W * ratio, bias(linear).double() + shift, linear)


def _moved_elsewhere(backbone: Backbone, merged: nn.Module) -> list[str]:
    """Tensors that moved and are no linear's."""
    linears = tuple(f"{path}." for path in (*_linears(backbone), backbone.anatomy.head))
    after = merged.state_dict()
    return [
        name
        for name, tensor in backbone.model.state_dict().items()
        if not name.startswith(linears) and not torch.equal(tensor, after[name])
    ]


def _nearest(frozen: nn.Linear, moved: nn.Linear, rank: int) -> tuple[LowRank | None, float, float]:
    """The nearest product and shift, ‖·‖² of it and of the whole change; None where nothing
    moved."""
    change = moved.weight.double() - frozen.weight.double()
    shift = bias(moved).double() - bias(frozen).double()
    if not change.any() and not shift.any():
        return None, 0.0, 0.0
    U, S, V = torch.linalg.svd(change, full_matrices=False)
    most = max(1, min(rank, int((NOTHING * S.max() < S).sum())))
    root = S[:most].sqrt()
    down = (root[:, None] * V[:most]).to(frozen.weight)
    up = (U[:, :most] * root).to(frozen.weight)
    product = LowRank(down, up, shift.to(frozen.weight) if shift.any() else None)
    return product, S[:most].square().sum().item(), S.square().sum().item()


def _with(frozen: nn.Linear, product: LowRank) -> nn.Linear:
    shift = 0.0 if product.shift is None else product.shift.double()
    W = frozen.weight.double() + product.up.double() @ product.down.double()
    return _linear(W, bias(frozen).double() + shift, frozen)


def _same(first: nn.LayerNorm, second: nn.LayerNorm) -> bool:
    return torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)


def _linear(W: Tensor, b: Tensor, like: nn.Linear) -> nn.Linear:
    whole = nn.Linear(W.shape[1], W.shape[0], device="meta")
    whole.weight = nn.Parameter(W.to(like.weight), requires_grad=False)
    whole.bias = nn.Parameter(b.to(like.weight), requires_grad=False)
    return whole
