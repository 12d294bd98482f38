"""Sizes and singular values of matrices in float64, whatever numbers a stranger's file holds."""

from math import exp

import torch
from torch import Tensor

from ..contracts.changes import LEADING


def norm(tensor: Tensor) -> float:
    """Frobenius norm. Huge numbers are divided first, as their squares would be infinite."""
    largest = _largest(tensor)
    if not largest:
        return 0.0
    return float(largest * torch.linalg.vector_norm(tensor / largest))


def singular_values(W: Tensor) -> Tensor:
    """Of a matrix [m n] in float64, the largest first, those that rounding hides left out.

    They are the roots of the eigenvalues of W Wᵀ, five times as fast as a decomposition of W.
    What is smaller than 10⁻⁶ of the largest is lost, which no sum notices.
    """
    largest = _largest(W)
    if not largest:
        return W.new_zeros(0)
    W = W / largest
    gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    eigenvalues = torch.linalg.eigvalsh(gram).flip(0)
    noise = len(gram) * torch.finfo(W.dtype).eps * eigenvalues[0]
    return largest * eigenvalues[eigenvalues > noise].sqrt()


def effective_rank(values: Tensor) -> float | None:
    """exp(−Σ p log p) with p the singular values over their sum; None if there are none.

    Roy & Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007.
    """
    if not len(values):
        return None
    p = values / values[0]
    p = p / p.sum()
    return exp(float(torch.special.entr(p).sum()))


def leading(values: Tensor) -> tuple[float, ...]:
    """The largest of them as numbers."""
    return tuple(values[:LEADING].tolist())


def _largest(tensor: Tensor) -> Tensor:
    """The largest of the absolute values; 0 of no numbers."""
    return tensor.abs().max() if tensor.numel() else tensor.new_zeros(())
