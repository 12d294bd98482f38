"""SPT: a survey of the training images decides which weights are worth training, and how.

He et al., "Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning", ICCV 2023. A step of gradient descent on one
weight alone lowers the loss by about ε g², so its squared gradient is its sensitivity. Of all weights of the blocks the
τ most sensitive are marked, and each tensor is judged by its marks:

    a matrix (q, k, v, proj, fc1, fc2)   with at least cost/α of them   gets a structured module as a whole
                                         with fewer                     trains the marked entries alone
    a vector (norm, bias)                with at least len/β of them    trains whole
    a linear's bias                      with fewer                     trains the marked entries alone

    SPT-LoRA      y = x Wᵀ + b + drop(x Aᵀ) Bᵀ                              cost = r (d_in + d_out)
    SPT-Adapter   y = x Wᵀ + b;  y + drop(GELU(y A_dᵀ + a)) A_uᵀ + c        cost = 2 r d_out + r + d_out
    entries       y = x (W + scatter(δ))ᵀ + b + scatter(δ_b),  δ = 0 at the start

with r = 8, α = 10, β = 5: a D×D matrix of ViT-B needs 1228.8 marks for its LoRA, a vector of 768 needs 154. τ goes in
twentieths of the budget, and the one whose total comes nearest to the budget is taken. The class token always trains.

The survey (`Survey`) adds up squared gradients of the mean loss of at most 16 batches of 32 training images, in eval
mode under a random head of its own: under the zero head, every gradient in the backbone would be zero.

Decided here, and different from the authors' code: up and B start at zero, as the paper says (theirs are overwritten
with noise); images are drawn in random order (theirs are the first 512 of a list); no drop path; dropout stands inside
the bottleneck; the module at `proj` is as all others (theirs reads the input); a norm with too few marks is neither
counted nor trained (theirs is counted and not trained). Where single matrices are too coarse to come within 5 % of the
budget, as on small backbones, the best τ below it is taken and filled up with the next most sensitive entries. Without
a survey, to count or to build one to look at, half of the budget buys modules (v, proj, fc2, fc1, k, q, by block), and
the other half is spread evenly as entries of all other matrices.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import ceil, floor, prod, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadAdapter, BadValue
from ..contracts.knobs import knob
from ..vit import Anatomy, Backbone, Delta, Site
from ..vit.anatomy import timm_name, tree_name
from ..vit.seam import bias, share_tensors
from ..vit.sites import MAPS
from . import Method, Parts, never

ALPHA = 10
BETA = 5
STEPS = 20
"""τ grows by this part of the budget."""
FURTHEST = 4
"""τ ends at this multiple of the budget."""
TOLERANCE = 0.05
TARGETS = ("v", "proj", "fc2", "fc1", "k", "q")


@dataclass(frozen=True)
class Config:
    budget: float = knob(
        0.466, "Budget", low=0.2, high=10.0, info="trainable parameters, % of the backbone"
    )
    rank: int = knob(8, "Rank", low=1, high=64, info="r, width of a structured module")
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


# what stands at a site -----------------------------------------------------------------------------------------------


def added(tensor: Tensor, at: Tensor, values: Tensor) -> Tensor:
    """A copy of `tensor` with `values` added at the flat positions `at`."""
    return tensor.flatten().index_add(0, at, values.to(tensor.dtype)).view_as(tensor)


class SparseLinear(torch.autograd.Function):
    """x (W + scatter(δ))ᵀ + b. The gradient of δ is read at its places only, and no dense one of W is ever made."""

    @staticmethod
    def forward(ctx, x: Tensor, W: Tensor, b: Tensor | None, at: Tensor, values: Tensor) -> Tensor:
        ctx.save_for_backward(x, W, at, values)
        return F.linear(x, added(W, at, values), b)

    @staticmethod
    def backward(ctx, g: Tensor):
        x, W, at, values = ctx.saved_tensors
        to_x, _, to_b, _, _ = ctx.needs_input_grad
        tokens = x.flatten(0, -2)
        outputs = g.flatten(0, -2)
        rows = at // W.shape[1]
        columns = at % W.shape[1]
        dx = (g @ added(W, at, values).to(g.dtype)).to(x.dtype) if to_x else None
        db = outputs.sum(0, dtype=W.dtype) if to_b else None
        pairs = outputs.index_select(1, rows) * tokens.index_select(
            1, columns
        )  # four times as fast as [:, rows]
        return dx, None, db, None, pairs.sum(0, dtype=values.dtype)


class Entries(Delta):
    """x (W + scatter(δ))ᵀ + b + shift: `entries` δ [K] at flat positions `entries_at`, `shift` [D_out] whole, or
    [K'] at `shift_at`; each may be absent."""

    def __init__(
        self,
        site: Site,
        config: Config,
        entries_at: Tensor | None,
        shift_at: Tensor | None,
        whole: bool,
    ):
        super().__init__()
        self.sizes = {"entries_at": site.d_in * site.d_out, "shift_at": site.d_out}
        self.register_buffer("entries_at", entries_at)
        self.register_buffer("shift_at", shift_at)
        self.entries = None if entries_at is None else nn.Parameter(torch.zeros(len(entries_at)))
        shifts = site.d_out if whole else 0 if shift_at is None else len(shift_at)
        self.shift = nn.Parameter(torch.zeros(shifts)) if shifts else None

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        b = self._bias(f)
        if self.entries is None:
            return F.linear(x, f.weight, b)
        return SparseLinear.apply(x, f.weight, b, self.entries_at.long(), self.entries)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor] | None:
        W = (
            f.weight
            if self.entries is None
            else added(f.weight, self.entries_at.long(), self.entries)
        )
        return W, bias(f) if self.shift is None else self._bias(f)

    def _bias(self, f: nn.Module) -> Tensor | None:
        if self.shift is None:
            return f.bias
        return (
            f.bias + self.shift
            if self.shift_at is None
            else added(f.bias, self.shift_at.long(), self.shift)
        )

    def check(self) -> None:
        for name, at in self.named_buffers():
            if at.min() < 0 or at.max() >= self.sizes[name] or (at.diff() <= 0).any():
                raise BadAdapter(
                    f"{name} holds positions that are not ascending from 0 to {self.sizes[name] - 1}."
                )


class LowRankEntries(Entries):
    """SPT-LoRA's module: `down` [R D_in] and `up` [D_out R]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config, *rest):
        super().__init__(site, config, *rest)
        self.down = nn.Parameter(torch.empty(config.rank, site.d_in))
        self.up = nn.Parameter(torch.zeros(site.d_out, config.rank))
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = F.dropout(F.linear(x, self.down), self.dropout, self.training)
        return super().forward(f, x) + F.linear(z, self.up)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        W, b = super().merged(f)
        return torch.addmm(W, self.up, self.down), b

    @staticmethod
    def cost(site: Site, rank: int) -> int:
        return rank * (site.d_in + site.d_out)


class Bottleneck(Entries):
    """SPT-Adapter's module: `down` [R D_out] and `up` [D_out R] with their biases, on the linear's output."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config, *rest):
        super().__init__(site, config, *rest)
        D = site.d_out
        R = config.rank
        self.down = nn.Parameter(torch.empty(R, D))
        self.down_bias = nn.Parameter(torch.zeros(R))
        self.up = nn.Parameter(torch.zeros(D, R))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        y = super().forward(f, x)
        z = F.dropout(F.gelu(F.linear(y, self.down, self.down_bias)), self.dropout, self.training)
        return y + F.linear(z, self.up, self.up_bias)

    def merged(self, f: nn.Linear) -> None:
        return None

    @staticmethod
    def cost(site: Site, rank: int) -> int:
        return 2 * rank * site.d_out + rank + site.d_out


Module = type[LowRankEntries] | type[Bottleneck]


# what can be trained, and for how much -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A tensor, or the rows of qkv that are q, k or v, that the survey ranks."""

    name: str
    """ "blocks.3.v.weight", "blocks.3.v.bias" for a site's; timm's own name for others."""
    tensor: str
    """timm's name of the tensor it lies in."""
    shape: tuple[int, ...]
    rows: slice
    site: Site | None = None

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def matrix(self) -> bool:
        return len(self.shape) > 1


@dataclass(frozen=True)
class Terms:
    """What can be had on a backbone, and for how much."""

    module: Module
    anatomy: Anatomy
    config: Config

    @cached_property
    def pieces(self) -> list[Piece]:
        """Matrices and biases of the six linears, every other vector of the blocks, the last norm."""
        linears = [piece for site in self.anatomy.at(*TARGETS) for piece in _of_site(site)]
        taken = {piece.tensor for piece in linears}
        blocks = (f"{site.name}." for site in self.anatomy.at("block"))
        ours = (*blocks, "norm.", "fc_norm.")
        vectors = {
            n: shape
            for n, shape in self.anatomy.tensors.items()
            if len(shape) == 1 and n.startswith(ours)
        }
        return linears + [
            Piece(n, n, shape, slice(None)) for n, shape in vectors.items() if n not in taken
        ]

    @property
    def token(self) -> int:
        """Size of the class token, which always trains."""
        return prod(self.anatomy.tensors.get("cls_token", (0,)))

    @property
    def budget(self) -> int:
        return budget(self.anatomy, self.config)

    @property
    def reachable(self) -> tuple[int, int]:
        """The class token and one entry; and with it a module at each matrix and every vector whole."""
        modules = sum(self.cost(site) for site in self.anatomy.at(*TARGETS))
        return self.token + 1, self.token + modules + sum(
            p.size for p in self.pieces if not p.matrix
        )

    def cost(self, site: Site) -> int:
        return self.module.cost(site, self.config.rank)

    def check(self) -> None:
        """`BadValue` for a rank or a budget that this backbone cannot have."""
        width = min(min(s.d_in, s.d_out) for s in self.anatomy.at(*TARGETS))
        rank = self.config.rank
        if rank > width:
            raise BadValue(
                f"rank {rank} is larger than the width {width}.", f"Take at most {width}."
            )
        low, high = self.reachable
        if not low <= self.budget <= high:
            least, most = (
                rounded(1e5 * n / self.anatomy.parameters) / 1e3
                for rounded, n in ((ceil, low), (floor, high))
            )
            raise BadValue(
                f"a budget of {self.config.budget:g} % is {self.budget} parameters; on {self.anatomy.arch} SPT reaches "
                f"{low} to {high} with rank {rank}.",
                f"Set budget from {least:g} to {most:g}.",
            )


def budget(anatomy: Anatomy, config: Config) -> int:
    """Trainable parameters wanted, head left out."""
    return round(config.budget / 100 * anatomy.parameters)


def _of_site(site: Site) -> Iterator[Piece]:
    weight = timm_name(f"{site.whole_path}.weight")
    yield Piece(f"{site.name}.weight", weight, (site.d_out, site.d_in), site.rows, site)
    if site.bias:
        bias = timm_name(f"{site.whole_path}.bias")
        yield Piece(f"{site.name}.bias", bias, (site.d_out,), site.rows, site)


# what is trained -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Allocation:
    """What a survey decided. The card keeps all but the positions, which are in the file as tensors."""

    structured: tuple[str, ...]
    """Sites that get a module."""
    vectors: tuple[str, ...]
    """Pieces that train whole."""
    sparse: Mapping[str, int]
    """How many entries of each other piece train."""
    positions: Mapping[str, Tensor] = field(default_factory=dict)
    """Where: flat, ascending, int32. Spread evenly where not given, to be filled from a file."""

    def to_json(self) -> dict:
        return {
            "structured": list(self.structured),
            "vectors": list(self.vectors),
            "sparse": dict(self.sparse),
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Allocation":
        try:
            return Allocation(
                tuple(plain["structured"]), tuple(plain["vectors"]), dict(plain["sparse"])
            )
        except (KeyError, TypeError, ValueError):
            raise BadValue(
                "the allocation of sensitive weights on the card is ill-formed."
            ) from None

    def checked(self, terms: Terms) -> "Allocation":
        """Itself; `BadValue` unless it speaks of this backbone's pieces, and of no more entries than they have."""
        sites = {p.site.name for p in terms.pieces if p.site}
        vectors = {p.name for p in terms.pieces if not p.matrix}
        sizes = {p.name: p.size for p in terms.pieces if p.site}
        counted = all(
            type(n) is int and 1 <= n <= sizes.get(name, 0) for name, n in self.sparse.items()
        )
        if not (counted and _within(self.structured, sites) and _within(self.vectors, vectors)):
            raise BadValue(
                f"the allocation of sensitive weights does not fit {terms.anatomy.arch}."
            )
        return self

    def at(self, name: str, size: int) -> Tensor | None:
        """Positions of the entries of a piece, int32, None if it has none."""
        if name in self.positions:
            return self.positions[name]
        count = self.sparse.get(name, 0)
        return (torch.arange(count) * size // count).int() if count else None


def _within(names: tuple, known: set[str]) -> bool:
    return all(isinstance(name, str) and name in known for name in names)


def unsurveyed(terms: Terms) -> Allocation:
    """An allocation of exactly the budget that asks no image."""
    left = terms.budget - terms.token
    structured = []
    rest = []
    least = left - left // 2
    for site in sorted(terms.anatomy.at(*TARGETS), key=lambda s: TARGETS.index(s.role)):
        affordable = left - terms.cost(site) >= least
        (structured if affordable else rest).append(site.name)
        left -= terms.cost(site) if affordable else 0
    each, over = divmod(left, len(rest))
    counts = {f"{name}.weight": each + (i < over) for i, name in enumerate(rest)}
    return Allocation(tuple(structured), (), {name: n for name, n in counts.items() if n})


def allocate(terms: Terms, sensitivity: Mapping[str, Tensor]) -> Allocation:
    """The allocation nearest to the budget, from the sensitivity of each piece (by name, of its shape).

    `BadValue` if nothing is sensitive.
    """
    ranked = torch.cat([sensitivity[p.name].flatten() for p in terms.pieces])
    if not torch.isfinite(ranked).all() or ranked.max() <= 0:
        raise BadValue(
            "the survey found no sensitive weight.",
            "Are the images and the backbone's weights sound?",
        )
    plan, entries = _nearest(list(_plans(terms, ranked)), terms.budget)
    positions = _most_sensitive(terms, ranked, plan, entries)
    counts = {name: len(at) for name, at in positions.items()}
    return Allocation(plan.structured, plan.vectors, counts, positions)


@dataclass(frozen=True)
class Plan:
    """What some τ amounts to."""

    structured: tuple[str, ...]
    vectors: tuple[str, ...]
    fixed: int
    """Parameters but for single entries."""
    entries: int

    @property
    def total(self) -> int:
        return self.fixed + self.entries


def planned(terms: Terms, marks: Sequence[int]) -> Plan:
    """The plan when each piece has so many marks."""
    structured = []
    vectors = []
    fixed = terms.token
    entries = 0
    for piece, hits in zip(terms.pieces, marks, strict=True):
        if piece.matrix and hits >= terms.cost(piece.site) / ALPHA:
            structured.append(piece.site.name)
            fixed += terms.cost(piece.site)
        elif not piece.matrix and hits >= piece.size / BETA:
            vectors.append(piece.name)
            fixed += piece.size
        elif piece.site:
            entries += hits
    return Plan(tuple(structured), tuple(vectors), fixed, entries)


def _plans(terms: Terms, ranked: Tensor) -> Iterator[Plan]:
    """The plan of every τ, from 0 in twentieths of the budget."""
    ends = torch.tensor([p.size for p in terms.pieces]).cumsum(0)
    first = ranked.topk(min(FURTHEST * terms.budget, len(ranked))).indices.cpu()
    marks = torch.zeros(len(ends), dtype=torch.long)
    yield planned(terms, marks.tolist())
    for chunk in torch.bucketize(first, ends, right=True).split(max(1, terms.budget // STEPS)):
        marks += chunk.bincount(minlength=len(ends))
        yield planned(terms, marks.tolist())


def _nearest(plans: list[Plan], wanted: int) -> tuple[Plan, int]:
    """The plan to take (of two as near, the later), and how many entries beside it."""
    plan = min(reversed(plans), key=lambda p: abs(p.total - wanted))
    if abs(plan.total - wanted) <= TOLERANCE * wanted:
        return plan, plan.entries
    plan = max((p for p in plans if p.total <= wanted), key=lambda p: p.total)
    return plan, wanted - plan.fixed


def _most_sensitive(terms: Terms, ranked: Tensor, plan: Plan, entries: int) -> dict[str, Tensor]:
    """Positions of the `entries` most sensitive single entries of the pieces that train in no other way; all of these
    entries if there are fewer."""
    taken = {f"{name}.weight" for name in plan.structured} | set(plan.vectors)
    sizes = [p.size for p in terms.pieces]
    for piece, values in zip(terms.pieces, ranked.split(sizes), strict=True):
        if piece.name in taken or not piece.site:
            values.fill_(-1.0)
    free = int((ranked >= 0).sum())
    chosen = ranked.topk(min(entries, free)).indices.cpu().sort().values
    starts = torch.tensor([0, *sizes]).cumsum(0)
    bounds = torch.searchsorted(chosen, starts).tolist()
    found = {
        p.name: chosen[bounds[i] : bounds[i + 1]] - starts[i] for i, p in enumerate(terms.pieces)
    }
    return {name: at.int() for name, at in found.items() if len(at)}


class Survey:
    """Adds up the sensitivity of every piece, batch by batch, on its own view of the backbone's tensors.

    Nothing is written to them; the random head comes from `seed`.
    """

    batches = 16
    batch = 32

    def __init__(self, module: Module, backbone: Backbone, config: Config, classes: int, seed: int):
        self.terms = Terms(module, backbone.anatomy, config)
        self.terms.check()
        self.model = share_tensors(backbone.model)
        tensors = dict.fromkeys(p.tensor for p in self.terms.pieces)
        self.tensors = {name: _own(self.model, tree_name(name)) for name in tensors}
        self.sums = {
            name: torch.zeros_like(t, requires_grad=False) for name, t in self.tensors.items()
        }
        generator = torch.Generator().manual_seed(seed)
        head = 0.02 * torch.randn(classes, backbone.anatomy.features, generator=generator)
        self.head = head.to(backbone.device)

    def add(self, images: Tensor, labels: Tensor) -> None:
        """A batch of normalised training images [B 3 S S] and their labels [B]."""
        loss = F.cross_entropy(F.linear(self.model(images), self.head), labels)
        gradients = torch.autograd.grad(loss, list(self.tensors.values()))
        for total, g in zip(self.sums.values(), gradients, strict=True):
            total.addcmul_(g, g)

    def sensitivity(self) -> dict[str, Tensor]:
        """Of every piece, by name."""
        return {p.name: self.sums[p.tensor][p.rows] for p in self.terms.pieces}

    def allocation(self) -> Allocation:
        return allocate(self.terms, self.sensitivity())


def _own(tree: nn.Module, path: str) -> nn.Parameter:
    """Binds a parameter of the tree's own over the same numbers, so that it can have a gradient."""
    path, _, leaf = path.rpartition(".")
    module = tree.get_submodule(path)
    module._parameters[leaf] = nn.Parameter(module._parameters[leaf].detach())
    return module._parameters[leaf]


# the records ---------------------------------------------------------------------------------------------------------


def build(
    module: Module, anatomy: Anatomy, config: Config, allocation: Allocation | Mapping | None = None
) -> Parts:
    """What an allocation says, fresh from a survey or as JSON from a card; the unsurveyed one without."""
    terms = Terms(module, anatomy, config)
    terms.check()
    if allocation is None:
        allocation = unsurveyed(terms)
    elif not isinstance(allocation, Allocation):
        allocation = Allocation.from_json(allocation)
    allocation = allocation.checked(terms)
    deltas = {site.name: _delta(module, site, config, allocation) for site in anatomy.at(*TARGETS)}
    vectors = tuple(name for name in allocation.vectors if name in anatomy.tensors)
    replaces = ("cls_token", *vectors) if terms.token else vectors
    return Parts({name: d for name, d in deltas.items() if d}, replaces, extra=allocation.to_json())


def _delta(module: Module, site: Site, config: Config, allocation: Allocation) -> Entries | None:
    weight = f"{site.name}.weight"
    bias = f"{site.name}.bias"
    entries_at = allocation.at(weight, site.d_in * site.d_out)
    shift_at = allocation.at(bias, site.d_out)
    whole = bias in allocation.vectors
    if site.name in allocation.structured:
        return module(site, config, entries_at, shift_at, whole)
    if entries_at is None and shift_at is None and not whole:
        return None
    return Entries(site, config, entries_at, shift_at, whole)


SPT_LORA = Method(
    name="spt_lora",
    title="SPT-LoRA",
    summary="Surveys the images for the most sensitive weights: LoRA where a matrix has many, else these alone.",
    formula="y = f(x) + (x Aᵀ) Bᵀ  or  y = x (W + scatter(δ))ᵀ + b,  by sensitivity Σ g²",
    paper="He et al., Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning, ICCV 2023",
    url="https://arxiv.org/abs/2303.08566",
    sites=MAPS,
    Config=Config,
    build=partial(build, LowRankEntries),
    count=budget,
    lr=3e-3,
    survey=partial(Survey, LowRankEntries),
)

SPT_ADAPTER = Method(
    name="spt_adapter",
    title="SPT-Adapter",
    summary="As SPT-LoRA, with a small bottleneck network behind each matrix that has many sensitive weights.",
    formula="y + up(GELU(down(y))), y = f(x)  or  y = x (W + scatter(δ))ᵀ + b,  by sensitivity Σ g²",
    paper=SPT_LORA.paper,
    url=SPT_LORA.url,
    sites=SPT_LORA.sites,
    Config=Config,
    build=partial(build, Bottleneck),
    count=budget,
    lr=9e-3,
    merges=never,
    survey=partial(Survey, Bottleneck),
)
