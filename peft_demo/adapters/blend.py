"""blend(backbone, adapters, shares) → one plain model whose weights are W + Σ sₙ (Wₙ - W).

Wₙ are the merged weights of adapter n, not its factors: the mean of two products is not the product
of two means. With shares of 1/N over runs that differ in their seed this is a model soup (Wortsman
et al., "Model soups", ICML 2022), with others task arithmetic (Ilharco et al., "Editing models with
task arithmetic", ICLR 2023). A head has nothing frozen to start from: of heads it is the mean,
weighted by the shares.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..contracts.errors import BadValue
from ..vit import Backbone
from ..vit.seam import bind, put
from .adapter import Adapter
from .merge import biased, merge


def blend(
    backbone: Backbone,
    adapters: Sequence[Adapter],
    shares: Sequence[float],
    rows: Sequence[Tensor] | None = None,
) -> nn.Module:
    """The blended model: images [B 3 S S] → logits [B C].

    `rows` are, for each adapter, the numbers [C] of its classes in the order of the answer; without
    them all adapters have one order. Raises `CannotMerge` where one of them cannot be merged,
    `BadValue` where the shares add up to nothing, so that there is no mean head.
    """
    total = sum(shares)
    if abs(total) < 1e-6:
        raise BadValue("the shares add up to 0.", "Choose others, for instance 1 and 1.")
    trees = [merge(backbone, adapter) for adapter in adapters]
    merged = [tree.state_dict() for tree in trees]
    blended, *_ = trees
    head = backbone.anatomy.head
    for name, W in backbone.model.named_parameters():
        if not name.startswith(f"{head}."):
            moved = _moved(W, [state[name] for state in merged], shares)
            bind(blended, name, nn.Parameter(moved, requires_grad=False))
    heads = [biased(adapter.head) for adapter in adapters]
    put(blended, head, _mean(heads, [share / total for share in shares], rows))
    return blended


@torch.no_grad()
def _moved(W: Tensor, merged: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """W + Σ sₙ (Wₙ - W), summed in float64; W itself where nobody moved it."""
    moves = [
        share * (other.double() - W.double())
        for other, share in zip(merged, shares, strict=True)
        if other.data_ptr() != W.data_ptr()
    ]
    return (W.double() + sum(moves)).to(W) if moves else W


@torch.no_grad()
def _mean(
    heads: Sequence[nn.Linear], shares: Sequence[float], rows: Sequence[Tensor] | None
) -> nn.Linear:
    states = [head.state_dict() for head in heads]
    if rows is not None:
        states = [_in_order(state, order) for state, order in zip(states, rows, strict=True)]
    mean = nn.Linear(heads[0].in_features, heads[0].out_features, device="meta")
    for name in ("weight", "bias"):
        parts = [share * state[name] for share, state in zip(shares, states, strict=True)]
        value = torch.stack(parts).sum(dim=0)
        setattr(mean, name, nn.Parameter(value, requires_grad=False))
    return mean


def _in_order(state: Mapping[str, Tensor], order: Tensor) -> dict[str, Tensor]:
    return {name: tensor[order.to(tensor.device)] for name, tensor in state.items()}
