"""The angles between the directions that a matrix reads or writes.

AOFT (see `methods.aoft`) starts from the observation that rows and columns of a trained backbone
are nearly orthogonal, and those of trained low-rank factors are not.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..contracts.changes import BINS, MOST_LEVELS, Directions
from .spectra import norm

MOST_VECTORS = 256
"""Vectors of a frozen weight that are compared; of more, these many evenly spread."""


def directions(name: str, M: Tensor, W: Tensor | None) -> Directions | None:
    """Of the matrix M beside the frozen weight W [D_out D_in], if there is one; both in float64.

    None where M holds nothing but zeros.
    """
    vectors = _vectors(M)
    if not len(vectors):
        return None
    lengths = [norm(vector) for vector in vectors]
    cosines = _cosines(vectors)
    frozen = _cosines(_alike(W, M.shape, vectors.shape[1]))
    return Directions(
        name=name,
        vectors=len(vectors),
        length=vectors.shape[1],
        shortest=min(lengths),
        longest=max(lengths),
        drift=float(torch.linalg.vector_norm(cosines)) * 2**0.5,
        mean_cosine=_mean(cosines),
        cosines=_histogram(cosines),
        frozen_cosines=_histogram(frozen),
        frozen_mean_cosine=_mean(frozen),
        levels=_levels(M),
    )


def _vectors(M: Tensor) -> Tensor:
    """The rows of M or, where these are fewer, its columns; without those that are zero."""
    rows = M if M.shape[0] <= M.shape[1] else M.T
    return rows[rows.any(dim=1)]


def _alike(W: Tensor | None, shape: torch.Size, length: int) -> Tensor:
    """Vectors of W that have as many numbers: rows for what reads, columns for what writes."""
    if W is None:
        return torch.zeros(0, length, dtype=torch.float64)
    sides = (W, W.T) if shape[0] <= shape[1] else (W.T, W)
    for side in sides:
        if side.shape[1] == length:
            return _spread(side[side.any(dim=1)])
    return W.new_zeros(0, length)


def _spread(vectors: Tensor) -> Tensor:
    count = len(vectors)
    if count <= MOST_VECTORS:
        return vectors
    return vectors[torch.arange(MOST_VECTORS) * count // MOST_VECTORS]


def _cosines(vectors: Tensor) -> Tensor:
    """Between all pairs of the vectors, [pairs]."""
    scaled = vectors / vectors.abs().amax(dim=1, keepdim=True) if len(vectors) else vectors
    units = F.normalize(scaled, dim=1)
    gram = units @ units.T
    above = torch.ones_like(gram, dtype=torch.bool).triu(diagonal=1)
    return gram[above]


def _mean(cosines: Tensor) -> float | None:
    return float(cosines.abs().mean()) if len(cosines) else None


def _histogram(cosines: Tensor) -> tuple[float, ...]:
    """Share of the pairs in each of the bins from -1 to 1; nothing where there are no pairs."""
    if not len(cosines):
        return ()
    counts = torch.histc(cosines.clamp(-1, 1), BINS, -1, 1)
    return tuple((counts / len(cosines)).tolist())


def _levels(M: Tensor) -> tuple[tuple[float, float], ...]:
    """(value, share) of each value, where they are so few that M is quantised."""
    values, counts = M.unique(return_counts=True)
    few = 2 <= len(values) <= min(MOST_LEVELS, M.numel() // 4)
    if not few:
        return ()
    shares = (counts / M.numel()).tolist()
    return tuple(zip(values.tolist(), shares, strict=True))
