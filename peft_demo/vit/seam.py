"""The core idea: where the model computed `f(x)`, it now computes `delta(f, x)`.

`f` is a frozen piece of the backbone. A `Delta` is the trainable part that a method puts at one
site. A `Seam` is the place in the tree where delta and frozen map meet. Neither owns the other:
the same frozen map can stand in many trees, each with its own delta.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from torch import Tensor, nn

from .products import LowRank, folded, side_by_side
from .sites import QKV, qkv_rows

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Delta(nn.Module):
    """What a method adds at one site: `forward(f, x)` computes what stands where `f(x)` stood.

    A delta may call the frozen map `f`, read its tensors, or both. It never changes them. The role
    of the site decides which kind of module `f` is, so each delta annotates the kind it expects.

    A file keeps the parameters of a delta and its persistent buffers, which hold integers. Adapters
    are first built on the meta device, without memory, to check a file against. So everything else
    that a delta holds is a Python number, a tensor that `forward` makes on `x.device`, or a
    constant that a seed in the method's config gives:

        self.register_buffer("A", seeded_uniform(config.seed, R, D_in), persistent=False)
    """

    matrices: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters whose role is a matrix: these alone take weight decay."""

    codec: "Codec | None" = None
    """How a file keeps each of `matrices`. Only a delta that computes with them quantised has one,
    and a loaded delta has none: it computes with the numbers as they are."""

    folds: ClassVar[bool] = True
    """Whether a product of its is learned faster folded into the weight of its linear."""

    dropout: float = 0.0
    """The chance that a number inside it is dropped while it learns."""

    def begin(self, f: Any) -> None:
        """Sets the parameters that start from the frozen map `f`, which is only read.

        `adapters.create` calls it once, without gradients, when `f` and the delta are on their
        device. Nothing random is drawn here. A delta that is read from a file never begins.
        """

    def forward(self, f: Any, x: Tensor) -> Tensor:
        """What stands where `f(x)` stood: x [B ... D_in] → [B ... D_out]."""
        raise NotImplementedError

    def low_rank(self, f: nn.Linear) -> LowRank | None:
        """The product and the shift that it adds to the linear `f`; None if it adds anything else.

        A delta that returns one can be batched with others, merged by one `addmm`, exported to
        peft and, where it drops nothing, folded into its linear while it learns (`products.py`).
        """
        return None

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor] | None:
        """W' [D_out D_in] and b' [D_out] of x ↦ δ(f, x) in closed form; None if there is none.

        A closed form only saves time: without one, `adapters.merge` probes the delta with the
        origin and the unit vectors.
        """
        added = self.low_rank(f)
        if added is None:
            return None
        W = torch.addmm(f.weight, added.up, added.down)
        b = bias(f)
        return W, b if added.shift is None else b + added.shift

    def directions(self) -> Mapping[str, Tensor]:
        """The matrices whose rows or columns are directions that it reads or writes, by name.

        `adapters.changes` looks at the angles between them. By default they are its `matrices`.
        """
        matrices = {name: self.get_parameter(name) for name in self.matrices}
        return {name: matrix for name, matrix in matrices.items() if matrix.ndim == 2}

    def check(self) -> None:
        """Raises `BadAdapter` if loaded values are out of range (an index, for instance).

        That all values are finite is checked for every delta.
        """


class Codec(Protocol):
    """How a delta quantises its `matrices`, and how a file keeps one of them."""

    def quantise(self, W: Tensor) -> Tensor:
        """What `forward` computes with in the place of W, of its shape."""
        ...

    def pack(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """The bytes that a file keeps of W, uint8 [size], and its statistics, float32 [K].

        K is one number for all codecs of an adapter. On the meta device the shapes are right.
        """
        ...

    def size(self, shape: torch.Size) -> int:
        """The number of bytes that `pack` gives for a matrix of this shape."""
        ...

    def unpack(self, data: Tensor, statistics: Tensor, shape: torch.Size) -> Tensor:
        """`quantise(W)` from what `pack(W)` gave, bit for bit."""
        ...

    def latent(self, quantised: Tensor) -> Tensor:
        """A W with `quantise(W)` = `quantised`, up to rounding: what training goes on from."""
        ...


class Quantised(Protocol):
    """A module that may quantise its matrices: every delta, and a head that does."""

    matrices: ClassVar[tuple[str, ...]]
    codec: Codec | None


def seeded_uniform(seed: int, *shape: int) -> Tensor:
    """Constants from [-1, 1) that depend on the seed alone, on every machine and thread count.

    They are made on the CPU, also where another device is the default, and move with the adapter.
    """
    generator = torch.Generator().manual_seed(seed)
    unit = torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu")
    return 2 * unit - 1


class Seam(nn.Module):
    """Stands where the frozen map `f` stood and computes `delta(f, x)`."""

    def __init__(self, f: nn.Module, delta: Delta):
        super().__init__()
        self.f = f
        self.delta = delta

    def forward(self, x: Tensor) -> Tensor:
        f = self.f
        if isinstance(f, nn.Linear):
            x = in_autocast(x)
            product = self.product(x)
            if product is not None:
                return folded(x, f.weight, f.bias, product)
        return self.delta(f, x)

    def product(self, x: Tensor) -> LowRank | None:
        """What the delta adds to its linear, where folding it saves time; None elsewhere.

        That is while it learns and drops nothing, on a CPU, where it was measured.
        """
        learns = self.training and torch.is_grad_enabled() and x.device.type == "cpu"
        folds = self.delta.folds and not self.delta.dropout
        if learns and folds and isinstance(self.f, nn.Linear):
            return self.delta.low_rank(self.f)
        return None

    def __getattr__(self, name: str) -> Any:
        """Attributes of the frozen map: timm reads `patch_embed.grid_size` in its forward pass."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "f":
                raise
            return getattr(self.f, name)


class SplitLinear(nn.Module):
    """timm's fused qkv as three linears q, k, v over the same tensors: [... D_in] → [... D_out]."""

    def __init__(self, fused: nn.Linear):
        super().__init__()
        size = fused.out_features // len(QKV)
        self.rows = {role: qkv_rows(role, size) for role in QKV}
        self.weight = fused.weight.detach()
        self.bias = None if fused.bias is None else fused.bias.detach()
        for role, rows in self.rows.items():
            self.add_module(role, linear_rows(fused, rows))

    def forward(self, x: Tensor) -> Tensor:
        x = in_autocast(x)
        product = self.product(x)
        if product is not None:
            return folded(x, self.weight, self.bias, product)
        parts = [linear(x) for linear in self.children()]
        return torch.cat(parts, dim=-1)

    def product(self, x: Tensor) -> LowRank | None:
        """What the seams at q, k and v add to the fused linear, where folding it saves time."""
        parts = []
        for role, linear in self.named_children():
            if isinstance(linear, Seam):
                product = linear.product(x)
                if product is None:
                    return None
                parts.append((self.rows[role], product))
        return side_by_side(len(self.weight), parts) if parts else None


def in_autocast(x: Tensor) -> Tensor:
    """`x` as autocast would hand it to a linear: cast once here, where several take the same.

    Each would cast it for itself otherwise, and keep its own copy for the way back.
    """
    device = x.device.type
    known = torch.amp.is_autocast_available(device)  # not on the meta device
    if known and torch.is_autocast_enabled(device):
        return x.to(torch.get_autocast_dtype(device))
    return x


def linear_rows(fused: nn.Linear, rows: slice) -> nn.Linear:
    """Some rows of a linear as a linear of their own, over the same tensors."""
    part = share_tensors(fused)
    part.out_features = rows.stop - rows.start
    part.weight = nn.Parameter(fused.weight.detach()[rows], requires_grad=False)
    if fused.bias is not None:
        part.bias = nn.Parameter(fused.bias.detach()[rows], requires_grad=False)
    return part


def bind(tree: nn.Module, name: str, parameter: nn.Parameter) -> None:
    """Puts a parameter where the one of this dotted name stands in the tree."""
    path, _, leaf = name.rpartition(".")
    tree.get_submodule(path)._parameters[leaf] = parameter


def bias(f: nn.Linear) -> Tensor:
    """b [D_out] of a linear; zeros where it has none."""
    if f.bias is None:
        return f.weight.new_zeros(f.out_features)
    return f.bias


def share_tensors(module: AnyModule) -> AnyModule:
    """A new tree of module objects over the *same* tensors: about a millisecond, no memory.

    Modules can be put into it, and parameters bound, without touching the old tree. More than half
    of a Vision Transformer's modules hold nothing (activations, dropouts of rate 0, places left
    empty): these are in both trees.
    """
    if _holds_nothing(module):
        return module
    twin = module.__class__.__new__(module.__class__)
    for name, value in module.__dict__.items():
        twin.__dict__[name] = value.copy() if isinstance(value, dict) else value
    for name, child in module._modules.items():
        twin._modules[name] = None if child is None else share_tensors(child)
    return twin


def _holds_nothing(module: nn.Module) -> bool:
    """Whether it computes the same whatever tree it stands in, and whether that trains or not."""
    has_parts = module._modules or module._parameters or module._buffers
    rates = (getattr(module, name, 0) for name in ("p", "drop_prob"))
    return not has_parts and not any(rates)


def put(tree: nn.Module, path: str, module: nn.Module) -> None:
    """`module` stands at the dotted `path` of the tree afterwards."""
    parent, _, name = path.rpartition(".")
    tree.get_submodule(parent)._modules[name] = module


def put_seams(tree: nn.Module, deltas: Mapping[str, Delta]) -> None:
    """Puts a seam at each dotted path.

    Deepest first, so that a seam around a branch holds those inside it.
    """
    for path in sorted(deltas, key=lambda p: p.count("."), reverse=True):
        put(tree, path, Seam(tree.get_submodule(path), deltas[path]))
