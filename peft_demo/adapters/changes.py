"""changes(backbone, adapter) → what the adapter did to the backbone, as figures.

W + ΔW and b + Δb at a site are what `merge` would write there, computed in float64. An adapter that
does not merge as a whole may still change single weights, where its delta has a closed form. Where
no weight changes, the figures are those of the adapter's own tensors.

No image is looked at: a large ΔW may matter little for the answers, and a small one much.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..contracts.changes import (
    MOST_VALUES,
    Change,
    Changes,
    Directions,
    TrainedTensor,
    WeightChange,
)
from ..contracts.errors import CannotMerge
from ..vit import Backbone
from ..vit.anatomy import tree_name
from ..vit.seam import AnyModule, bias, share_tensors
from .adapter import Adapter
from .attach import check_sites, replace_tensors
from .codec import dequantized
from .directions import directions
from .merge import affine, linear_map
from .places import Place, places
from .spectra import effective_rank, leading, norm, singular_values

ROUNDING = 1e-12
"""Changes smaller than this share of the largest number in W are the arithmetic's own."""
NOT_A_WEIGHT = "It stands around more than one linear map, so no single weight changes."
NOT_LINEAR = "What it adds is not linear in its input, so no weight changes."
TOO_LARGE = "Its numbers are too large to be compared."


class Affine(NamedTuple):
    """W and b of a place, in float64 on the CPU; b has no numbers or zeros where there is none."""

    W: Tensor
    b: Tensor


class Comparison(NamedTuple):
    """What stands at a place before and after; `why` says why there is no `after`."""

    before: Affine | None
    after: Affine | None
    why: str = ""


@torch.no_grad()
def changes(backbone: Backbone, adapter: Adapter) -> Changes:
    """What `adapter` changed in `backbone`, whatever its method; both stay as they are.

    `BadValue` names a site or a tensor that the backbone lacks.
    """
    check_sites(backbone.anatomy, adapter)
    adapter = dequantized(adapter)
    tree = share_tensors(backbone.model)
    replace_tensors(tree, adapter)
    shared = _shared(adapter)
    found = []
    for place in places(backbone.anatomy, adapter):
        compared = _compare(backbone, adapter, tree, place)
        found.append(_change(adapter, place, compared, shared))
    return Changes(
        method=adapter.method.name,
        backbone=backbone.name,
        trainable=adapter.trainable,
        shared=sum(tensor.numel() for tensor in shared.values()),
        changes=tuple(found),
        extra=adapter.extra,
    )


def _shared(adapter: Adapter) -> dict[int, Tensor]:
    """The parameters that several deltas use, by their identity."""
    parameters = [p for delta in adapter.by_site().values() for p in delta.parameters()]
    uses = Counter(map(id, parameters))
    return {id(p): p for p in parameters if uses[id(p)] > 1}


def _compare(backbone: Backbone, adapter: Adapter, tree: nn.Module, place: Place) -> Comparison:
    """The place in the backbone and in `tree`, which has the replaced tensors, with its delta."""
    if place.site is None or place.delta is None:
        before = _tensors(place, backbone.model.get_parameter)
        return Comparison(before, _tensors(place, tree.get_parameter))
    try:
        before = _of_linear(linear_map(backbone.model, place.site))
        f = _exact_copy(linear_map(tree, place.site))
    except CannotMerge:
        return Comparison(None, None, NOT_A_WEIGHT)
    delta = _exact_copy(place.delta)
    merges = adapter.method.merges(adapter.config)
    after = affine(delta, f) if merges else delta.merged(f)
    if after is None:
        return Comparison(before, None, NOT_LINEAR)
    if not all(tensor.isfinite().all() for tensor in after):
        return Comparison(before, None, TOO_LARGE)
    return Comparison(before, Affine(*after))


def _tensors(place: Place, get: Callable[[str], Tensor]) -> Affine:
    """The replaced tensors of a place, in the tree that `get` reads; those of a token as one
    vector."""
    parts = {part: _exact(get(tree_name(name))) for part, name in place.replaced.items()}
    none = torch.zeros(0, dtype=torch.float64)
    W = parts.get("weight", none)
    return Affine(W.flatten(1) if W.ndim > 1 else W, parts.get("bias", none))


def _of_linear(linear: nn.Linear) -> Affine:
    return Affine(_exact(linear.weight), _exact(bias(linear)))


def _exact(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().double()


def _exact_copy(module: AnyModule) -> AnyModule:
    return deepcopy(module).cpu().double().eval()


def _change(
    adapter: Adapter, place: Place, compared: Comparison, shared: Mapping[int, Tensor]
) -> Change:
    tensors = _own_tensors(adapter, place)
    weight = None
    if compared.before is not None and compared.after is not None:
        weight = _weight_change(compared.before, compared.after)
    return Change(
        place=place.name,
        kind=place.kind,
        layer=place.layer,
        trainable=sum(t.numel() for t in tensors.values() if id(t) not in shared),
        weight=weight,
        why=compared.why,
        tensors=tuple(_described(name, t, id(t) in shared) for name, t in tensors.items()),
        directions=_directions(place, compared.before),
    )


def _own_tensors(adapter: Adapter, place: Place) -> Mapping[str, Tensor]:
    """The trained tensors of a place, by the names that they have there."""
    own = dict(place.delta.named_parameters()) if place.delta is not None else {}
    replaced = adapter.replaced()
    return own | {part: replaced[name] for part, name in place.replaced.items()}


def _described(name: str, tensor: Tensor, shared: bool) -> TrainedTensor:
    exact = _exact(tensor)
    is_short = tensor.numel() <= MOST_VALUES and tensor.numel() == max(tensor.shape, default=1)
    values = tuple(exact.flatten().tolist()) if is_short else ()
    return TrainedTensor(name, tuple(tensor.shape), norm(exact), shared, values)


def _directions(place: Place, before: Affine | None) -> tuple[Directions, ...]:
    if place.delta is None:
        return ()
    W = None if before is None else before.W
    matrices = _exact_copy(place.delta).directions()
    found = (directions(name, M.detach(), W) for name, M in matrices.items())
    return tuple(entry for entry in found if entry is not None)


def _weight_change(before: Affine, after: Affine) -> WeightChange:
    W, changed = before.W, after.W
    if _is_diagonal(W) and _is_diagonal(changed):  # a norm's affine part
        W, changed = W.diagonal(), changed.diagonal()
    change = _without_rounding(changed - W, W)
    is_matrix = W.ndim == 2 and min(W.shape) > 1
    values = singular_values(change) if is_matrix else change.new_zeros(0)
    return WeightChange(
        shape=tuple(W.shape),
        weight_norm=norm(W),
        change_norm=norm(change),
        bias_norm=norm(before.b),
        shift_norm=norm(_without_rounding(after.b - before.b, before.b)),
        share=float(change.count_nonzero() / max(1, change.numel())),
        effective_rank=effective_rank(values),
        before=leading(singular_values(W)) if is_matrix else (),
        change=leading(values),
        after=leading(singular_values(W + change)) if is_matrix else (),
    )


def _is_diagonal(W: Tensor) -> bool:
    square = W.ndim == 2 and W.shape[0] == W.shape[1]
    return square and torch.equal(W, torch.diag(W.diagonal()))


def _without_rounding(change: Tensor, W: Tensor) -> Tensor:
    """The change, zero where it is no more than what the arithmetic on W rounds off."""
    if not change.numel():
        return change
    return torch.where(change.abs() > ROUNDING * W.abs().max(), change, 0.0)
