"""Several adapters of the same classes: their answers averaged, their weights averaged, and whether
that is worth it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .. import adapters
from ..contracts.errors import BadValue, CannotMerge
from ..contracts.progress import Report
from ..contracts.together import ANSWERS, WEIGHTS, Combined, Together
from ..data import Dataset
from .attached import Attached, Plain
from .scoring import Said, ask_about, paired, said_by_all


def together(
    members: Mapping[str, Attached],
    dataset: Dataset,
    shares: Sequence[float],
    report: Report | None = None,
) -> Together:
    """How often the members, by their ids, are right alone and together, on images of `dataset`
    that none of them has learned from.

    `shares`, as `shares_of` gives them, weigh them. Raises `BadValue` for classes that differ,
    `BadData` where there are no such images.
    """
    chosen = list(members.values())
    orders = orders_of(chosen)
    said, left_out = said_by_all(chosen, dataset, report)
    right = {ANSWERS: averaged(said, orders, shares).argmax(dim=1) == said[0].truth}
    no_weights = ""
    try:
        model = blended(chosen, shares)
        right[WEIGHTS] = ask_about(model, said[0].examples, dataset, report).correct
    except CannotMerge as error:
        no_weights = str(error)
    best = max((one.correct for one in said), key=lambda correct: int(correct.sum()))
    return Together(
        images=len(best),
        left_out=left_out,
        alone=tuple((id, _share(one.correct)) for id, one in zip(members, said, strict=True)),
        combined=tuple(Combined(how, _share(one), paired(one, best)) for how, one in right.items()),
        no_weights=no_weights,
    )


def shares_of(members: Sequence[Attached], shares: Sequence[float]) -> list[float]:
    """The shares as they were given, or all alike; `BadValue` where they do not fit."""
    if len(members) < 2:
        raise BadValue("one adapter alone is not together with another.", "Name two at least.")
    if not shares:
        return [1 / len(members)] * len(members)
    if len(shares) != len(members):
        raise BadValue(f"there are {len(members)} adapters and {len(shares)} shares.")
    if abs(sum(shares)) < 1e-6:
        raise BadValue("the shares add up to 0.", "Choose others, for instance 1 and 1.")
    return list(shares)


def orders_of(members: Sequence[Attached]) -> list[Tensor]:
    """For each member the numbers [C] of its classes in the first one's order.

    `BadValue` names a class that they do not share.
    """
    names = members[0].card.classes
    for member in members:
        apart = sorted(set(names) ^ set(member.card.classes))
        if apart:
            raise BadValue(
                f"not all of them know the class {apart[0]!r}.",
                "Choose adapters of the same classes.",
            )
    return [torch.tensor([member.card.classes.index(name) for name in names]) for member in members]


def averaged(said: Sequence[Said], orders: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """The weighted mean of the probabilities [N C], in the first one's order of classes."""
    total = sum(shares)
    parts = zip(said, orders, shares, strict=True)
    mean = [share / total * one.probabilities[:, order] for one, order, share in parts]
    return torch.stack(mean).sum(dim=0)


def blended(members: Sequence[Attached], shares: Sequence[float]) -> Plain:
    """One plain model with the weighted mean of their weights, classes in the first one's order.

    `CannotMerge` says what stands in the way.
    """
    orders = orders_of(members)
    first = members[0]
    for member in members:
        if _around(member) != _around(first):
            raise CannotMerge("they stand around different backbones.")
        if _reads(member) != _reads(first):
            raise CannotMerge("they read pictures differently.")
    stack = [member.adapter for member in members]
    model = adapters.blend(first.backbone, stack, shares, orders).eval()
    return Plain(first.backbone, first.card, model)


def _around(member: Attached) -> tuple:
    return member.backbone.fingerprint, member.backbone.size


def _reads(member: Attached) -> tuple:
    return member.backbone.mean, member.backbone.std, member.card.picture_window


def _share(correct: Tensor) -> float:
    return correct.float().mean().item()
