"""DoRA: LoRA turns the rows of a frozen matrix, and a trained magnitude scales each of them.

Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", ICML 2024, eq. 5, in torch's layout
W [D_out D_in]:

    y = W' x + b,     W' = m ⊙ (W + s · B A) / ‖W + s · B A‖

A [R D_in] is Kaiming-uniform(√5) and B [D_out R] zero. The norm is that of each row, one number for
each output, and so is the magnitude m [D_out]. m starts from the norms of W's rows, so W' = W.

The paper speaks of the columns of a matrix. Its authors' code takes the norm of the rows of torch's
W, as peft's `use_dora` does, and so does this. As in section 4.3 and in both codes, the norm is a
constant in the backward pass, which saves memory and costs next to no accuracy.

Dropout acts on the input of the product alone, as in LoRA. The scale s = α/r and the learning rate
are LoRA's; they have not been searched for DoRA.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import LOW_RANK
from ..vit import Anatomy, Site
from ..vit.seam import bias
from ..vit.sites import LINEARS
from . import Method, Parts, lora, targets_knob

EPSILON = 1e-12
"""The least norm that is divided by, for rows of zeros."""


@dataclass(frozen=True)
class Config(lora.Product):
    """Knobs of LoRA, but for `qkv`: a target's weight is read, and q, k and v are read apart."""

    targets: tuple[str, ...] = targets_knob(
        ("q", "v"), LINEARS, "linears that get a product and a magnitude"
    )


class DoRA(lora.LoRA):
    """g ⊙ (W x + s · B A x) + b around a linear, with g = m / ‖W + s · B A‖ [D_out].

    The parameters are `magnitude` m [D_out], `down` A [R D_in] and `up` B [D_out R].
    """

    def __init__(self, site: Site, config: Config):
        super().__init__(site, config)
        self.magnitude = nn.Parameter(torch.ones(site.d_out))

    def begin(self, f: nn.Linear) -> None:
        self.magnitude.copy_(row_norms(f.weight))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = F.dropout(x, self.dropout, self.training)
        z = F.linear(z, self.down)
        y = F.linear(x, f.weight) + self.scale * F.linear(z, self.up)
        gain = self.gain(f).to(y.dtype)
        return torch.addcmul(bias(f).to(y.dtype), y, gain)

    def low_rank(self, f: nn.Linear) -> None:
        """None: the rows of W are scaled as well, which is no change of low rank."""

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        gain = self.gain(f)
        return gain[:, None] * self.direction(f), bias(f)

    def direction(self, f: nn.Linear) -> Tensor:
        """W + s · B A [D_out D_in]."""
        return torch.addmm(f.weight, self.scale * self.up, self.down)

    def gain(self, f: nn.Linear) -> Tensor:
        """g [D_out]. Its gradient reaches the magnitude alone."""
        with torch.no_grad():
            norms = row_norms(self.direction(f))
        return self.magnitude / norms


def row_norms(W: Tensor) -> Tensor:
    """The norm of each row of W [D_out D_in], [D_out]."""
    return torch.linalg.vector_norm(W, dim=1).clamp(min=EPSILON)


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A low-rank product and a magnitude at every target."""
    return Parts({site.name: DoRA(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    """R·(D_in + D_out) + D_out for each target."""
    sites = anatomy.at(*config.targets)
    return lora.count_products(sites, config) + sum(site.d_out for site in sites)


DORA = Method(
    name="dora",
    title="DoRA",
    summary="LoRA turns the rows of query and value, a magnitude scales each; it folds away.",
    formula="y = (m ⊙ (W + s · B A) / ‖W + s · B A‖) x + b",
    paper="Liu et al., DoRA: Weight-Decomposed Low-Rank Adaptation, ICML 2024",
    url="https://arxiv.org/abs/2402.09353",
    family=LOW_RANK,
    sites=lora.LORA.sites,
    Config=Config,
    build=build,
    count=count,
    lr=lora.LORA.lr,
)
