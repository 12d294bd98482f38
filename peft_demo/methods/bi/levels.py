"""The quantiser of one-bit adapters, and its codec: how a file keeps a quantised matrix.

    Ŵ = Q(z) · σ + μ,     z = (W - μ) / (σ + 10⁻⁵)

μ and σ are the mean and the standard deviation of the whole tensor W. Q gives the nearest of 2^bits
levels, the k-medians of N(0, 1): each level is the median of its cell, and each threshold lies
halfway between two levels, so the mean absolute error is least. With one bit they are ±0.6745.

Gradients pass Q as if it were not there ("straight through"), and pass μ and σ as they are.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-5
"""Added to σ, so that a constant tensor does not divide by zero."""

ITERATIONS = 500
"""Rounds of k-medians, as in the authors' code."""


@torch.compiler.assume_constant_result
def codebook(bits: int) -> tuple[float, ...]:
    """The 2^bits levels, ascending and symmetric.

    They are rounded to six digits, so that every machine reads the same numbers from a file.
    """
    return _codebook(bits)


@lru_cache
def _codebook(bits: int) -> tuple[float, ...]:
    normal = NormalDist()
    half = 2 ** (bits - 1)
    levels = [normal.inv_cdf(0.5 + (i + 0.5) / (2 * half)) for i in range(half)]
    for _ in range(ITERATIONS):
        thresholds = [normal.cdf((a + b) / 2) for a, b in pairwise(levels)]
        edges = [0.5, *thresholds, 1.0]
        levels = [normal.inv_cdf((a + b) / 2) for a, b in pairwise(edges)]
    positive = [round(level, 6) for level in levels]
    negative = [-level for level in reversed(positive)]
    return (*negative, *positive)


def standardised(W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """z of W's shape, and the scalars μ and σ."""
    std, mean = torch.std_mean(W)
    z = (W - mean) / (std + EPSILON)
    return z, mean, std


def codes(z: Tensor, bits: int) -> Tensor:
    """Index of the nearest level for each number of `z`; on a threshold, of the level below it."""
    levels = codebook(bits)
    thresholds = [(a + b) / 2 for a, b in pairwise(levels)]
    return torch.bucketize(z, z.new_tensor(thresholds))


def decoded(codes: Tensor, mean: Tensor, std: Tensor, bits: int) -> Tensor:
    """Ŵ from what a file keeps."""
    levels = std.new_tensor(codebook(bits))
    return levels[codes] * std + mean


def quantised(W: Tensor, bits: int) -> Tensor:
    """Ŵ of W's shape, straight through in the backward pass."""
    z, mean, std = standardised(W)
    levels = z.new_tensor(codebook(bits))
    q = levels[codes(z.detach(), bits)]
    straight = q + (z - z.detach())  # exactly q: `z + (q - z).detach()` would round
    return straight * std + mean


@dataclass(frozen=True)
class Levels:
    """The `vit.seam.Codec` of a matrix: `bits` for each number, and 8 bytes for μ and σ."""

    bits: int

    def quantise(self, W: Tensor) -> Tensor:
        """Ŵ, see `quantised`."""
        return quantised(W, self.bits)

    def size(self, shape: torch.Size) -> int:
        """⌈n · bits / 8⌉ bytes."""
        return -(-shape.numel() * self.bits // 8)

    def pack(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """The codes, uint8 [⌈n · bits / 8⌉], and the statistics (μ, σ), float32 [2].

        The element j of a byte takes its bits from j · bits on.
        """
        z, mean, std = standardised(W)
        indices = codes(z, self.bits).flatten()
        per_byte = 8 // self.bits
        padded = F.pad(indices, (0, -len(indices) % per_byte)).view(-1, per_byte)
        shifted = padded << self._shifts(W.device)
        return shifted.sum(dim=1).to(torch.uint8), torch.stack((mean, std))

    def unpack(self, data: Tensor, statistics: Tensor, shape: torch.Size) -> Tensor:
        """Ŵ, bit for bit."""
        shifted = data[:, None].long() >> self._shifts(data.device)
        indices = shifted.bitwise_and(2**self.bits - 1).flatten()[: shape.numel()]
        mean, std = statistics
        return decoded(indices, mean, std, self.bits).view(shape)

    def latent(self, quantised: Tensor) -> Tensor:
        """A W with `quantise(W)` = Ŵ up to rounding.

        Ŵ itself is none: the levels' deviation is not one, so quantised again it would shrink, with
        one bit to 0.67 of its deviation. But Q takes no notice of a factor and a shift of W, and
        these are chosen so that μ and σ come out right.
        """
        again = self.quantise(quantised)
        std, mean = torch.std_mean(quantised)
        std_again, mean_again = torch.std_mean(again)
        if std_again == 0:
            return quantised
        return (quantised - mean_again) * (std / std_again) + mean

    def _shifts(self, device: torch.device) -> Tensor:
        return torch.arange(0, 8, self.bits, device=device)
