"""merge(backbone, adapter) → a plain model without seams: the adapted answers at the frozen model's
speed.

One function merges every affine method. It probes the delta with the origin and the unit vectors,

    b' = δ(f, 0),     W' = (δ(f, I) − b')ᵀ,

in float64, unless the delta gives W' and b' in closed form (`Delta.merged`), which is quicker.

- A norm is probed through its own affine part, f(x) = x·w + b on x that is normalised already. W'
  must come out diagonal again.
- The patch embedding is probed through the linear map of one flattened patch. Where its convolution
  has no bias, the shift goes into the position embedding.
- Between two stages of a Swin stands a linear without a bias, twice as wide in as out. The norm
  before it takes up what its delta shifts.
"""

from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn

from ..contracts.errors import CannotMerge
from ..vit import Backbone, Delta, Site
from ..vit.anatomy import timm_name
from ..vit.seam import linear_rows, put, share_tensors
from ..vit.sites import NORMS, QKV, linear_at, patch_embed
from .adapter import Adapter
from .attach import check_sites, replace_tensors
from .codec import dequantized


def merge(backbone: Backbone, adapter: Adapter) -> nn.Module:
    """The merged model: images [B 3 S S] → logits [B C]. `CannotMerge` says why there is none."""
    if not adapter.method.merges(adapter.config):
        raise CannotMerge(
            f"{adapter.method.title} is not linear, so it cannot be folded into the weights."
        )
    check_sites(backbone.anatomy, adapter)
    adapter = dequantized(adapter)
    tree = share_tensors(backbone.model)
    replace_tensors(tree, adapter)
    deltas = adapter.by_site()
    # In the order of the anatomy: a norm is folded before the linear that leans on it.
    for name, site in backbone.anatomy.sites.items():
        if name in deltas:
            _fold(tree, site, deltas[name])
    put(tree, backbone.anatomy.head, biased(adapter.head))
    return tree


def merged_tensors(backbone: Backbone, adapter: Adapter) -> dict[str, Tensor]:
    """`tensors_of` the merged model."""
    return tensors_of(merge(backbone, adapter))


def tensors_of(merged: nn.Module) -> dict[str, Tensor]:
    """A merged model's tensors under timm's own names, head included, on the CPU."""
    return {
        timm_name(name): tensor.detach().cpu().contiguous().clone()
        for name, tensor in merged.state_dict().items()
    }


@torch.no_grad()
def affine(delta: Delta, f: nn.Linear) -> tuple[Tensor, Tensor]:
    """W' [D_out D_in] and b' [D_out] of the affine map x ↦ δ(f, x), in closed form or probed."""
    return delta.merged(f) or probe(delta, f)


@torch.no_grad()
def probe(delta: Delta, f: nn.Linear) -> tuple[Tensor, Tensor]:
    """W' [D_out D_in] and b' [D_out] of the affine map x ↦ δ(f, x), probed, in float64."""
    delta = deepcopy(delta).double().eval()
    f = deepcopy(f).double()
    origin = f.weight.new_zeros(1, 1, f.in_features)
    unit_vectors = torch.eye(f.in_features, dtype=torch.float64, device=f.weight.device)[None]
    shift = delta(f, origin)[0]
    columns = delta(f, unit_vectors)[0] - shift
    return columns.T, shift[0]


def linear_map(tree: nn.Module, site: Site) -> nn.Linear:
    """The affine map at a site of the exposed tree, as a linear over the same tensors.

    Of q, k and v it is their rows, of a norm its affine part, of the patch embedding the map of one
    flattened patch. `CannotMerge` where no such map stands there.
    """
    if site.role in QKV:
        return linear_rows(linear_at(tree, site.whole_path), site.rows)
    if site.path == "patch_embed":
        return _of_patches(tree)
    module = tree.get_submodule(site.path)
    if site.role in ("patch", *NORMS):
        return _of_norm(module, site)
    if not isinstance(module, nn.Linear):
        raise CannotMerge(
            f"{site.name} is not a linear map, so a delta around it cannot be folded."
        )
    return module


def _of_norm(norm: nn.Module, site: Site) -> nn.Linear:
    if not isinstance(norm, nn.LayerNorm) or norm.weight is None:
        raise CannotMerge(
            f"{site.name} is a {type(norm).__name__} without an affine part to fold into."
        )
    return _linear(torch.diag(norm.weight.detach()), norm.bias)


def _of_patches(tree: nn.Module) -> nn.Linear:
    patches = patch_embed(tree)
    if not isinstance(patches.norm, nn.Identity):
        raise CannotMerge(
            "a norm inside the patch embedding stands between the delta and the convolution."
        )
    return _linear(patches.proj.weight.detach().flatten(1), patches.proj.bias)


def _fold(tree: nn.Module, site: Site, delta: Delta) -> None:
    W, b = affine(delta, linear_map(tree, site))
    if site.role in QKV:
        _fold_rows(tree, site, W, b)
    elif site.path == "patch_embed":
        _fold_patch(tree, site, W, b)
    elif site.role in ("patch", *NORMS):
        _fold_norm(tree, site, W, b)
    elif site.role == "reduction":
        _fold_reduction(tree, site, W, b)
    else:
        _set(linear_at(tree, site.path), site, W, b)


def _fold_rows(tree: nn.Module, site: Site, W: Tensor, b: Tensor) -> None:
    fused = linear_at(tree, site.whole_path)
    rows = site.rows
    weight = fused.weight.detach().clone()
    bias = None if fused.bias is None else fused.bias.detach().clone()
    weight[rows] = W.to(weight)
    if bias is not None:
        bias[rows] = b.to(bias)
        b = bias
    _set(fused, site, weight, b)


def _fold_norm(tree: nn.Module, site: Site, W: Tensor, b: Tensor) -> None:
    diagonal = torch.diagonal(W)
    if not torch.equal(W, torch.diag(diagonal)):
        raise CannotMerge(f"the delta at {site.name} mixes channels, which a norm cannot take up.")
    _set(cast(nn.LayerNorm, tree.get_submodule(site.path)), site, diagonal, b)


def _fold_reduction(tree: nn.Module, site: Site, W: Tensor, b: Tensor) -> None:
    """Gives the norm before the reduction the least shift that W' turns into b'."""
    stage_path = site.path.rpartition(".")[0]
    norm = cast(nn.LayerNorm, tree.get_submodule(f"{stage_path}.norm"))
    W = W.double()
    b = b.double()
    shift = torch.linalg.pinv(W) @ b
    if not torch.allclose(W @ shift, b, rtol=1e-6, atol=1e-9):
        raise CannotMerge(
            f"{site.name} has no bias that could take up the shift.", "Classify with it attached."
        )
    _set(norm, site, norm.weight.detach(), norm.bias.detach() + shift)
    _set(linear_at(tree, site.path), site, W, torch.zeros_like(b))


def _fold_patch(tree: nn.Module, site: Site, W: Tensor, b: Tensor) -> None:
    conv = cast(nn.Conv2d, patch_embed(tree).proj)
    if conv.bias is None and tree.pos_embed is not None:
        _shift_positions(tree, b)
        b = torch.zeros_like(b)
    _set(conv, site, W.reshape(conv.weight.shape), b)


def _shift_positions(tree: nn.Module, b: Tensor) -> None:
    """Adds b to the position embedding of the patch tokens, which stand last."""
    shifted = tree.get_parameter("pos_embed").detach().clone()
    shifted[:, -patch_embed(tree).num_patches :] += b.to(shifted)
    tree._parameters["pos_embed"] = nn.Parameter(shifted, requires_grad=False)


def _set(
    module: nn.Linear | nn.LayerNorm | nn.Conv2d, site: Site, weight: Tensor, bias: Tensor
) -> None:
    """Gives `module` new tensors; `CannotMerge` where it has no bias to take up a shift."""
    like = module.weight
    if module.bias is None and bias.abs().max() > 0:
        raise CannotMerge(
            f"{site.name} has no bias that could take up the shift.", "Classify with it attached."
        )
    module._parameters["weight"] = nn.Parameter(weight.to(like), requires_grad=False)
    if module.bias is not None:
        module._parameters["bias"] = nn.Parameter(bias.to(like), requires_grad=False)


def biased(head: nn.Linear) -> nn.Linear:
    """The head as timm's models have it: a linear with a bias."""
    if head.bias is not None:
        return head
    return _linear(head.weight, head.weight.new_zeros(head.out_features))


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    linear.weight = nn.Parameter(weight.detach(), requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return linear
