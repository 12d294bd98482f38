"""Which weights SPT trains, and how: from the sensitivity of each, or without a survey.

Of all weights of the blocks the τ most sensitive are marked, and each piece is judged by its marks:

    a matrix (q, k, v, proj, fc1, fc2)   with at least cost/α of them   gets a module as a whole
                                         with fewer                     trains the marked entries
    a vector (norm, bias)                with at least len/β of them    trains whole
    a linear's bias                      with fewer                     trains the marked entries

with α = 10 and β = 5. τ goes in twentieths of the budget, and the one whose total comes nearest to
the budget is taken, which is the authors' rule. Where single matrices are too coarse to come within
5 % of the budget, the best τ below it is taken and filled up with the next most sensitive entries,
unless the knob `fill` is off. That acts on small backbones, and on a ViT-B, too: with the
sensitivities that the authors ship, in 10 of the 19 tasks of VTAB-1k at 0.4 M parameters.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...contracts.errors import BadValue
from .pieces import TARGETS, Piece, Terms

ALPHA = 10
BETA = 5
STEPS = 20
"""τ grows by the budget divided by this."""
FURTHEST = 4
"""τ ends at this multiple of the budget."""
TOLERANCE = 0.05
"""How far from the budget a total may be, as a share of it."""


@dataclass(frozen=True)
class Allocation:
    """What a survey decided. The card keeps all but the positions, which are tensors in the
    file."""

    structured: tuple[str, ...]
    """Sites that get a module."""
    vectors: tuple[str, ...]
    """Pieces that train whole."""
    sparse: Mapping[str, int]
    """How many entries of each other piece train."""
    positions: Mapping[str, Tensor] = field(default_factory=dict)
    """Where: flat, ascending, int32. A file fills them in where they are missing."""

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values without the positions; `from_json` reads it."""
        return {
            "structured": list(self.structured),
            "vectors": list(self.vectors),
            "sparse": dict(self.sparse),
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Allocation":
        """The allocation again, without positions; `BadValue` if it is ill-formed."""
        try:
            structured = tuple(plain["structured"])
            vectors = tuple(plain["vectors"])
            return Allocation(structured, vectors, dict(plain["sparse"]))
        except (KeyError, TypeError, ValueError):
            raise BadValue(
                "the allocation of sensitive weights on the card is ill-formed."
            ) from None

    def checked(self, terms: Terms) -> "Allocation":
        """Itself; `BadValue` if it names pieces that the backbone lacks, or more entries."""
        linears = [piece for piece in terms.pieces if piece.site]
        sites = {piece.site.name for piece in linears if piece.site}
        vectors = {piece.name for piece in terms.pieces if not piece.matrix}
        sizes = {piece.name: piece.size for piece in linears}
        fits = _all_in(self.structured, sites) and _all_in(self.vectors, vectors)
        if not fits or not _counts_fit(self.sparse, sizes):
            raise BadValue(
                f"the allocation of sensitive weights does not fit {terms.anatomy.arch}."
            )
        return self

    def at(self, name: str, size: int) -> Tensor | None:
        """Positions of the entries of a piece of this size, int32; None if it has none.

        They are spread evenly where they are not known yet.
        """
        if name in self.positions:
            return self.positions[name]
        count = self.sparse.get(name, 0)
        if not count:
            return None
        return (torch.arange(count) * size // count).int()


def unsurveyed(terms: Terms) -> Allocation:
    """An allocation of exactly the budget that looks at no image.

    Half of the budget buys modules (v, proj, fc2, fc1, k, q, by block); the other half is spread
    evenly as entries of all other matrices.
    """
    left = terms.budget - terms.token
    for_entries = left - left // 2
    structured = []
    others = []
    for site in sorted(terms.anatomy.at(*TARGETS), key=lambda site: TARGETS.index(site.role)):
        if left - terms.cost(site) >= for_entries:
            structured.append(site.name)
            left -= terms.cost(site)
        else:
            others.append(site.name)
    share, remainder = divmod(left, len(others))
    sparse = {}
    for i, name in enumerate(others):
        count = share + (i < remainder)
        if count:
            sparse[f"{name}.weight"] = count
    return Allocation(tuple(structured), (), sparse)


def allocate(terms: Terms, sensitivity: Mapping[str, Tensor]) -> Allocation:
    """The allocation nearest to the budget, from the sensitivity of each piece, by name.

    Raises `BadValue` if nothing is sensitive.
    """
    scores = torch.cat([sensitivity[piece.name].flatten() for piece in terms.pieces])
    if not torch.isfinite(scores).all() or scores.max() <= 0:
        raise BadValue(
            "the survey found no sensitive weight.",
            "Are the images and the backbone's weights sound?",
        )
    plan, entries = _nearest(list(_plans(terms, scores)), terms.budget, terms.config.fill)
    positions = most_sensitive(terms, scores, plan, entries)
    sparse = {name: len(at) for name, at in positions.items()}
    return Allocation(plan.structured, plan.vectors, sparse, positions)


@dataclass(frozen=True)
class Plan:
    """What is trained for some τ."""

    structured: tuple[str, ...]
    vectors: tuple[str, ...]
    fixed: int
    """Parameters but for single entries."""
    entries: int
    """Single entries."""

    @property
    def total(self) -> int:
        """All parameters."""
        return self.fixed + self.entries


def planned(terms: Terms, marks: Sequence[int]) -> Plan:
    """The plan when each piece has so many marks."""
    structured = []
    vectors = []
    fixed = terms.token
    entries = 0
    for piece, count in zip(terms.pieces, marks, strict=True):
        site = piece.site
        if site and piece.matrix and count >= terms.cost(site) / ALPHA:
            structured.append(site.name)
            fixed += terms.cost(site)
        elif not piece.matrix and count >= piece.size / BETA:
            vectors.append(piece.name)
            fixed += piece.size
        elif site:
            entries += count
    return Plan(tuple(structured), tuple(vectors), fixed, entries)


def most_sensitive(terms: Terms, scores: Tensor, plan: Plan, entries: int) -> dict[str, Tensor]:
    """Positions of the most sensitive `entries` of the pieces that the plan trains in no other way.

    By name of the piece; all of their entries if there are fewer. `scores` [all weights] is
    overwritten.
    """
    sizes = [piece.size for piece in terms.pieces]
    for piece, values in zip(terms.pieces, scores.split(sizes), strict=True):
        if _trains_otherwise(piece, plan):
            values.fill_(-1.0)
    free = int((scores >= 0).sum())
    chosen = scores.topk(min(entries, free)).indices.cpu().sort().values
    starts = torch.tensor([0, *sizes]).cumsum(0)
    bounds = torch.searchsorted(chosen, starts).tolist()
    positions = {}
    for i, piece in enumerate(terms.pieces):
        at = chosen[bounds[i] : bounds[i + 1]] - starts[i]
        if len(at):
            positions[piece.name] = at.int()
    return positions


def _trains_otherwise(piece: Piece, plan: Plan) -> bool:
    """Whether no single entry of the piece may train."""
    if piece.site is None or piece.name in plan.vectors:
        return True
    return piece.matrix and piece.site.name in plan.structured


def _plans(terms: Terms, scores: Tensor) -> Iterator[Plan]:
    """The plan of every τ, from 0 in twentieths of the budget."""
    ends = torch.tensor([piece.size for piece in terms.pieces]).cumsum(0)
    order = scores.topk(min(FURTHEST * terms.budget, len(scores))).indices.cpu()
    piece_of = torch.bucketize(order, ends, right=True)
    marks = torch.zeros(len(ends), dtype=torch.long)
    yield planned(terms, marks.tolist())
    for step in piece_of.split(max(1, terms.budget // STEPS)):
        marks += step.bincount(minlength=len(ends))
        yield planned(terms, marks.tolist())


def _nearest(plans: list[Plan], wanted: int, fill: bool) -> tuple[Plan, int]:
    """The plan to take (of two equally near, the later), and how many entries beside it."""
    nearest = min(reversed(plans), key=lambda plan: abs(plan.total - wanted))
    if not fill or abs(nearest.total - wanted) <= TOLERANCE * wanted:
        return nearest, nearest.entries
    affordable = [plan for plan in plans if plan.total <= wanted]
    largest = max(affordable, key=lambda plan: plan.total)
    return largest, wanted - largest.fixed


def _all_in(names: Sequence[Any], known: Collection[str]) -> bool:
    return all(isinstance(name, str) and name in known for name in names)


def _counts_fit(counts: Mapping[str, Any], sizes: Mapping[str, int]) -> bool:
    """Whether every count is a whole number from 1 to the size of its piece."""
    return all(
        type(count) is int and 1 <= count <= sizes.get(name, 0) for name, count in counts.items()
    )
