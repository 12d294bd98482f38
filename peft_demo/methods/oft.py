"""OFT: a trained rotation turns what a frozen linear reads, and so all its neurons alike.

Qiu et al., "Controlling Text-to-Image Diffusion by Orthogonal Finetuning", NeurIPS 2023. The
neurons of a linear, the rows of torch's W [D_out D_in], are turned by one orthogonal matrix, which
keeps their lengths and the angles between them:

    y = (W Rᵀ) x + b,     R = diag(R₁ … R_r),     R_i = (I + Q_i)(I − Q_i)⁻¹,     Q_i = −Q_iᵀ

R is block-diagonal, with r blocks of n = D_in/r rows. Cayley's formula makes each of them
orthogonal whatever Q_i is. The n·(n−1)/2 numbers of Q_i above its diagonal are trained and kept, as
in huggingface/peft; the authors' code trains n² and takes the skew-symmetric part. They start at
zero, where R = I.

R is free to be any such matrix. The paper's COFT also keeps it within a small radius of I, and its
re-scaled form trains a length for each neuron; neither is here.

The paper adapts diffusion models, and its code starts at r = 4. For a ViT, q and v with r = 16 are
our choice: 1.5 times LoRA's parameters on a ViT-B.

The rotation acts on x, as x R Wᵀ is cheaper to learn through than a whole W Rᵀ. It folds away.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..contracts.errors import BadValue
from ..contracts.families import SCALING
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from ..vit.seam import bias
from . import Method, Parts, lora, targets_knob


@dataclass(frozen=True)
class Config:
    """Knobs of OFT."""

    targets: tuple[str, ...] = targets_knob(
        ("q", "v"), lora.LINEAR_TARGETS, "linears whose input is turned"
    )
    blocks: int = knob(
        16, "Blocks", choices=(1, 2, 4, 8, 16), info="r; fewer can turn more, in a larger file"
    )


class Rotation(Delta):
    """f(x R) with R block-diagonal and orthogonal.

    The parameter is `skew` [r n·(n−1)/2]: of each block, the rows of Q above its diagonal.
    """

    def __init__(self, site: Site, config: Config):
        _check_blocks(config.blocks, site)
        super().__init__()
        r = config.blocks
        n = site.d_in // r
        self.blocks = r
        self.size = n
        self.skew = nn.Parameter(torch.zeros(r, n * (n - 1) // 2))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        return f(self._turned(x, self.rotation()))

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        """W Rᵀ is W, each row turned by Rᵀ from the right."""
        return self._turned(f.weight, self.rotation().mT), bias(f)

    def rotation(self) -> Tensor:
        """The blocks of R, [r n n]."""
        n = self.size
        rows, columns = torch.triu_indices(n, n, 1, device=self.skew.device)
        upper = self.skew.new_zeros(self.blocks, n, n)
        upper[:, rows, columns] = self.skew
        Q = upper - upper.mT
        one = torch.eye(n, device=Q.device, dtype=Q.dtype)
        # The two commute, so either order is R. I − Q has an inverse whatever Q is, but for numbers
        # so large that rounding loses I beside them; a file with those must not stop an inspection.
        return torch.linalg.solve_ex(one - Q, one + Q).result

    def _turned(self, x: Tensor, R: Tensor) -> Tensor:
        """x R for x [... D_in], block by block."""
        parts = x.unflatten(-1, (self.blocks, self.size))
        return torch.einsum("...rn,rnm->...rm", parts, R).flatten(-2)


def _check_blocks(blocks: int, site: Site) -> None:
    if site.d_in % blocks:
        raise BadValue(
            f"the width {site.d_in} of {site.name} cannot be cut into {blocks} blocks.",
            "Take fewer.",
        )


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A rotation before every target."""
    return Parts({site.name: Rotation(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    """D_in·(D_in/r − 1)/2 for each target."""
    r = config.blocks
    return sum(site.d_in * (site.d_in // r - 1) // 2 for site in anatomy.at(*config.targets))


OFT = Method(
    name="oft",
    title="OFT",
    summary="Turns what query and value read by a trained rotation; it folds away.",
    formula="y = f(x R),  R = (I + Q)(I − Q)⁻¹ block-diagonal,  Q = −Qᵀ",
    paper="Qiu et al., Controlling Text-to-Image Diffusion by Orthogonal Finetuning, NeurIPS 2023",
    url="https://arxiv.org/abs/2306.07280",
    family=SCALING,
    sites=lora.LORA.sites,
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
)
