"""The core idea: where the model computed `f(x)`, it now computes `delta(f, x)`; `f` is a frozen piece of the backbone.

A `Delta` is the trainable part a method puts at one site. A `Seam` is the place in the tree where delta and frozen map
meet. Neither owns the other: the same frozen map can stand in many trees, each with its own delta.
"""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from .sites import QKV, qkv_rows


class LowRank(NamedTuple):
    """δ(f, x) = f(x) + (x downᵀ) upᵀ + shift: `down` [R D_in], `up` [D_out R], `shift` [D_out] or None."""

    down: Tensor
    up: Tensor
    shift: Tensor | None = None


class Delta(nn.Module):
    """What a method adds at one site: `forward(f, x)` computes what stands where `f(x)` stood.

    A delta may call `f`, read `f.weight` and `f.bias`, or both, and never changes them. It holds parameters (and
    persistent integer buffers) only: other constants are Python numbers or made on `x.device` in `forward`, because
    adapters are first built without memory to check a file against.
    """

    matrices: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters whose role is a matrix: these alone take weight decay."""

    bits: int = 32
    """How many bits of each number in `matrices` a file keeps. Fewer than 32 only where `forward` computes with these
    numbers quantised, as `methods/bi.py` does; a loaded delta says 32 again."""

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        raise NotImplementedError

    def low_rank(self, f: nn.Linear) -> "LowRank | None":
        """What it adds to the linear `f` once it is trained, if that is a low-rank product and a shift; None if not.

        Who says so can be answered with in a mixed batch, merged by one product, and exported to huggingface/peft.
        """
        return None

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor] | None:
        """(W' [D_out D_in], b' [D_out]) of x ↦ δ(f, x) once it is trained, in closed form; None if it gives none.

        For speed alone: without it, merging asks the delta where the origin and the unit axes go.
        """
        low = self.low_rank(f)
        if low is None:
            return None
        return torch.addmm(f.weight, low.up, low.down), bias(f) if low.shift is None else bias(
            f
        ) + low.shift

    def check(self) -> None:
        """Raises `BadAdapter` if loaded values are out of range (an index, say). Finiteness is checked for all."""


class Seam(nn.Module):
    """Stands where the frozen map `f` stood and computes `delta(f, x)`."""

    def __init__(self, f: nn.Module, delta: Delta):
        super().__init__()
        self.f = f
        self.delta = delta

    def forward(self, x: Tensor) -> Tensor:
        return self.delta(self.f, x)

    def __getattr__(self, name: str):
        """What is asked of the frozen map, it answers: timm reads `patch_embed.grid_size` on its way."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "f":
                raise
            return getattr(self.f, name)


class SplitLinear(nn.Module):
    """timm's fused qkv as three linears q, k and v over the same tensors: [... D_in] → [... D_out]."""

    def __init__(self, fused: nn.Linear):
        super().__init__()
        size = fused.out_features // len(QKV)
        for role in QKV:
            self.add_module(role, linear_rows(fused, qkv_rows(role, size)))

    def forward(self, x: Tensor) -> Tensor:
        parts = [linear(x) for linear in self.children()]
        return torch.cat(parts, dim=-1)


def linear_rows(fused: nn.Linear, rows: slice) -> nn.Linear:
    """Some rows of a linear as a linear of their own, over the same tensors."""
    part = nn.Linear(fused.in_features, rows.stop - rows.start, bias=False, device="meta")
    part.weight = nn.Parameter(fused.weight.detach()[rows], requires_grad=False)
    if fused.bias is not None:
        part.bias = nn.Parameter(fused.bias.detach()[rows], requires_grad=False)
    return part


def bias(f: nn.Linear) -> Tensor:
    """b [D_out] of a linear; zeros where it has none."""
    return f.weight.new_zeros(f.out_features) if f.bias is None else f.bias


def share_tensors(module: nn.Module) -> nn.Module:
    """A new tree of module objects over the *same* tensors: cheap, and free to change without touching the old."""
    twin = module.__class__.__new__(module.__class__)
    twin.__dict__ = {k: v.copy() if isinstance(v, dict) else v for k, v in module.__dict__.items()}
    twin._modules = {
        name: child if child is None else share_tensors(child)
        for name, child in module._modules.items()
    }
    return twin


def put(tree: nn.Module, path: str, module: nn.Module) -> None:
    """Puts `module` at the dotted `path` of the tree."""
    parent, _, name = path.rpartition(".")
    tree.get_submodule(parent)._modules[name] = module


def put_seams(tree: nn.Module, deltas: dict[str, Delta]) -> None:
    """Puts a seam at each dotted path. Deepest first, so that a seam around a branch holds those inside it."""
    for path in sorted(deltas, key=lambda p: p.count("."), reverse=True):
        put(tree, path, Seam(tree.get_submodule(path), deltas[path]))
