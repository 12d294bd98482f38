"""What stands at a linear: a matrix of kernel values, of which the largest are kept."""

from dataclasses import dataclass
from math import sqrt

import torch
from timm.layers.drop import drop_path
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ...contracts.errors import BadAdapter, BadValue
from ...contracts.knobs import knob
from ...vit import Delta, Site
from ...vit.seam import bias

COEFFICIENT = 0.1
"""Of both distances, with opposite signs."""
FIRST_SHARE = 0.99
"""Of the entries of every matrix that are kept before the first allocation."""
UNDROPPED = ("proj",)
"""Roles whose input is not dropped."""


@dataclass(frozen=True)
class Config:
    """Knobs of SNELLA."""

    rank: int = knob(
        8, "Rank", low=2, high=64, info="numbers of a row or column, half for each distance; even"
    )
    kept: float = knob(
        0.2, "Kept", low=0.01, high=1.0, info="share of all entries that changes in the end"
    )
    dropout: float = knob(0.1, "Dropout", low=0.0, high=0.9, advanced=True)
    drop_path: float = knob(
        0.1,
        "Drop path",
        low=0.0,
        high=0.9,
        info="share of images without it in training",
        advanced=True,
    )

    def __post_init__(self):
        if self.rank % 2:
            raise BadValue("the rank of SNELLA is even: half of it goes to each distance.")


class SparseKernel(Delta):
    """f(x) + drop_path(dropout(x) ΔWᵀ).

    `inward` is [2 D_in R/2] and `outward` [2 D_out R/2]: a point for each column and row of ΔW and
    each of the two distances. `alpha`, `gamma` and `beta` are [1]. `kept` [] counts the entries of
    ΔW that are not zero; the allocator sets it.
    """

    matrices = ("inward", "outward")
    kept: Tensor

    def __init__(self, site: Site, config: Config):
        super().__init__()
        R = config.rank // 2
        self.size = site.d_in * site.d_out
        self.dropout = 0.0 if site.role in UNDROPPED else config.dropout
        self.drop_path = config.drop_path
        self.inward = nn.Parameter(torch.empty(2, site.d_in, R))
        self.outward = nn.Parameter(torch.empty(2, site.d_out, R))
        self.alpha = nn.Parameter(torch.ones(1))
        self.gamma = nn.Parameter(torch.ones(1))
        self.beta = nn.Parameter(torch.zeros(1))
        kept = torch.tensor(int(FIRST_SHARE * self.size), dtype=torch.int32)
        self.register_buffer("kept", kept)
        for points in (self.inward, self.outward):
            nn.init.kaiming_uniform_(points, a=sqrt(5))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = F.dropout(x, self.dropout, self.training)
        added = checkpoint(self._added, z, use_reentrant=False, preserve_rng_state=False)
        return f(x) + drop_path(added, self.drop_path, self.training)

    def _added(self, x: Tensor) -> Tensor:
        """x ΔWᵀ. For the backward pass it is computed again: ΔW is as large as W."""
        return F.linear(x, self.change().T)

    def change(self) -> Tensor:
        """ΔWᵀ [D_in D_out]: kernel values K |K|, of which the largest `kept` stay."""
        K = self.kernel()
        size = K.detach().abs()
        return K * size.masked_fill(size <= self._threshold(size), 0.0)

    def kernel(self) -> Tensor:
        """K [D_in D_out]: how near the point of a column is to that of a row."""
        first, second = torch.cdist(self.inward, self.outward)
        D = COEFFICIENT * (first - second)
        return D + self.alpha * F.softmax(D / self.gamma, dim=-1) + self.beta

    def _threshold(self, size: Tensor) -> Tensor:
        """The largest of those that do not stay, of which there is always one."""
        return size.flatten().kthvalue(self.size - int(self.kept)).values

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        return f.weight + self.change().T, bias(f)

    def check(self) -> None:
        if not 0 <= int(self.kept) < self.size:
            raise BadAdapter(f"it keeps {int(self.kept)} of {self.size} entries of a matrix.")
