"""SNELLA: a matrix of kernel values is added to each linear, and its entries compete to be kept.

Shen et al., "Kernelized Sparse Fine-Tuning with Bi-level Parameter Competition for Vision Models",
2025, the successor of SNELL (NeurIPS 2024). On q, k, v, proj, fc1 and fc2, with a point in R/2
dimensions for every column i and every row o of the weight, twice:

    D_io = 0.1 (‖a_i − b_o‖ − ‖a'_i − b'_o‖)
    K    = D + α softmax_o(D / γ) + β
    ΔWᵀ  = K ⊙ |K| where |K| is among the largest, else 0          |K| takes no gradient
    y    = f(x) + drop_path(dropout(x) ΔWᵀ)

α and γ start at one, β at zero, the points Kaiming-uniform as in the authors' code, so it starts
near the frozen model, not as it. The class token trains, too. The rank of ΔW is not bound by R, and
nothing as large as W is kept for the backward pass: it is computed again.

Entries compete inside a matrix by their size, and matrices with each other by what their numbers
matter (`allocator`): the share of entries that is kept falls from 0.99 to `kept` over the epochs.

- `delta`: what stands at a linear.
- `allocator`: how many entries of each are kept.

From the released code; R is 32 in its scripts (its default is 8, as here), and
`kept` is 0.2 for CIFAR-100. Their threshold is an interpolated quantile; here the number of entries
is kept, so a file says exactly which ones stay.
"""

from math import prod

from ...contracts.families import WHOLE_TENSORS
from ...vit import Anatomy
from ...vit.sites import LINEARS
from .. import Method, Parts, never
from .allocator import Allocator
from .delta import Config, SparseKernel

TOKEN = "cls_token"


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A matrix at every linear of the blocks, and one allocator for all."""
    deltas = {site.name: SparseKernel(site, config) for site in anatomy.at(*LINEARS)}
    return Parts(deltas, _replaced(anatomy), allocator=Allocator(deltas, config.kept))


def count(anatomy: Anatomy, config: Config) -> int:
    """R·(D_in + D_out) + 3 for each linear, and the class token."""
    points = sum(config.rank * (site.d_in + site.d_out) + 3 for site in anatomy.at(*LINEARS))
    return points + sum(prod(anatomy.tensors[name]) for name in _replaced(anatomy))


def _replaced(anatomy: Anatomy) -> tuple[str, ...]:
    return (TOKEN,) if TOKEN in anatomy.tensors else ()


SNELLA = Method(
    name="snella",
    title="SNELLA",
    summary="Adds a matrix of kernel values to each weight; its entries compete to be kept.",
    formula="y = f(x) + x ΔWᵀ,  ΔWᵀ = K ⊙ |K| at its largest entries,  K = D + α softmax(D/γ) + β",
    paper="Shen et al., Kernelized Sparse Fine-Tuning with Bi-level Parameter Competition for"
    " Vision Models, 2025",
    url="https://arxiv.org/abs/2510.24037",
    family=WHOLE_TENSORS,
    sites=LINEARS,
    Config=Config,
    build=build,
    count=count,
    lr=1e-3,
    identity=never,
)
