"""An adapter: deltas, copies of backbone tensors that are trained, and a head for its classes."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..contracts.specs import Recipe
from ..methods import Method, Parts
from ..vit import Anatomy, Backbone, Delta
from ..vit.anatomy import split_qkv, tree_name
from ..vit.seam import share_tensors


class Adapter(nn.Module):
    """Everything that a run trains and a file keeps; `attach` makes a model of it and a backbone.

    `deltas` are the deltas by site name and `tensors` the replaced tensors by timm name, both with
    "/" for each dot, which torch reserves. `head` maps features [B D] to logits [B C]. A parameter
    that several deltas share is one tensor, kept once.

    `class_means`, where a run has measured them, are the mean features of each class in int8
    [C D], each row to a scale of its own: by them a picture of something else is told
    (`inference.doubt`).
    """

    class_means: Tensor | None
    unpacked = False
    """Whether its matrices are dequantised: then it can answer, but not be packed for a file."""

    def __init__(
        self,
        method: Method,
        config: Any,
        parts: Parts,
        replaced: Mapping[str, Tensor],
        features: int,
        classes: int,
    ):
        super().__init__()
        self.method = method
        self.config = config
        self.extra = dict(parts.extra)
        self.allocator = parts.allocator
        deltas = {_to_key(site): delta for site, delta in parts.deltas.items()}
        tensors = {_to_key(name): nn.Parameter(tensor) for name, tensor in replaced.items()}
        new_head = parts.head or _zero_head
        self.deltas = nn.ModuleDict(deltas)
        self.tensors = nn.ParameterDict(tensors)
        self.head = new_head(features, classes)
        self.register_buffer("class_means", None)

    def by_site(self) -> dict[str, Delta]:
        """The deltas by the name of their site."""
        return {_from_key(key): cast(Delta, delta) for key, delta in self.deltas.items()}

    def replaced(self) -> dict[str, nn.Parameter]:
        """The tensors that stand in for the backbone's own, by timm's names."""
        return {_from_key(key): tensor for key, tensor in self.tensors.items()}

    def state(self) -> dict[str, Tensor]:
        """The tensors that a file keeps, each once: parameters, then persistent buffers."""
        kept = self.state_dict(keep_vars=True)
        buffers = {name: buffer for name, buffer in self.named_buffers() if name in kept}
        return {**dict(self.named_parameters()), **buffers}

    @property
    def trainable(self) -> int:
        """Number of trainable parameters without the head."""
        return _count(self.parameters()) - self.head_parameters

    @property
    def head_parameters(self) -> int:
        """Number of the head's parameters."""
        return _count(self.head.parameters())

    def groups(self, recipe: Recipe) -> list[dict[str, Any]]:
        """Parameter groups for an optimiser.

        The head learns at a rate of its own. Weight decay is on what the recipe says: parameters
        whose role is a matrix, all but biases and norms, or all.
        """
        decayed = {id(parameter) for parameter in self._decayed(recipe.decayed)}
        head = {id(parameter) for parameter in self.head.parameters()}
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for parameter in self.parameters():
            rate = recipe.head_lr if id(parameter) in head else recipe.lr
            decay = recipe.weight_decay if id(parameter) in decayed else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        return [
            {"params": parameters, "lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ]

    def _decayed(self, kind: str) -> Iterator[Tensor]:
        if kind == "matrices":
            yield from self._matrices()
            return
        for name, parameter in self.named_parameters():
            if kind == "all" or not _is_bias_or_norm(_from_key(name)):
                yield parameter

    def _matrices(self) -> Iterator[Tensor]:
        yield self.head.weight
        for name, parameter in self.replaced().items():
            if name.endswith(".weight") and parameter.ndim > 1:
                yield parameter
        for delta in self.by_site().values():
            for name in delta.matrices:
                yield delta.get_parameter(name)


def create(
    method: Method,
    config: Any,
    backbone: Backbone,
    classes: int,
    seed: int,
    allocation: Any = None,
    head_start: str = "zero",
) -> Adapter:
    """A new adapter on the backbone's device, its random starts drawn from `seed` alone.

    `allocation` is what the method's survey decided. Without one, a method that surveys builds the
    same adapter whatever the images. `head_start` is one of `HEAD_STARTS`; a head of the method's
    own starts as it says.
    """
    with _seeded(seed):
        parts = method.parts(backbone.anatomy, config, allocation)
        replaced = _copies(backbone, parts.replaces)
        adapter = Adapter(method, config, parts, replaced, backbone.anatomy.features, classes)
        if parts.head is None:
            _start(adapter.head, head_start)
    adapter = adapter.to(backbone.device)
    _begin(adapter, backbone)
    return adapter


def meta_adapter(
    method: Method,
    config: Any,
    anatomy: Anatomy,
    classes: int,
    allocation: Any = None,
    *,
    doubts: bool = False,
) -> Adapter:
    """A skeleton of the same on the meta device: names and shapes, no memory, nothing drawn;
    with the `class_means` of one that `doubts`.
    """
    with torch.device("meta"):
        parts = method.parts(anatomy, config, allocation)
        replaced = {name: torch.empty(anatomy.tensors[name]) for name in parts.replaces}
        adapter = Adapter(method, config, parts, replaced, anatomy.features, classes)
        if doubts:
            adapter.class_means = torch.empty(classes, anatomy.features, dtype=torch.int8)
        return adapter


def materialize(skeleton: Adapter, state: Mapping[str, Tensor]) -> Adapter:
    """An adapter like the skeleton, which stays as it is, with the tensors of `state`, on their
    device.

    A parameter that several deltas share stays one.
    """
    adapter = share_tensors(skeleton)
    fresh = {id(old): _same_kind(old, state[name]) for name, old in adapter.state().items()}
    for module in adapter.modules():
        parameters = list(module.named_parameters(recurse=False, remove_duplicate=False))
        buffers = list(module.named_buffers(recurse=False, remove_duplicate=False))
        for name, old in [*parameters, *buffers]:
            if id(old) in fresh:
                setattr(module, name, fresh[id(old)])
    return adapter.to(adapter.head.weight.device)  # moves the constants, which no state holds


def _copies(backbone: Backbone, names: Iterable[str]) -> dict[str, Tensor]:
    """Copies of the backbone's tensors, on the CPU, by timm's names."""
    frozen = backbone.model.state_dict()
    return {name: frozen[tree_name(name)].detach().cpu().clone() for name in names}


@torch.no_grad()
def _begin(adapter: Adapter, backbone: Backbone) -> None:
    """Shows every delta the frozen map that it will stand around."""
    deltas = adapter.by_site()
    tree = share_tensors(backbone.model)
    for name, site in backbone.anatomy.sites.items():
        if name in deltas:
            split_qkv(tree, site)
            deltas[name].begin(tree.get_submodule(site.path))


def _zero_head(features: int, classes: int) -> nn.Linear:
    head = nn.Linear(features, classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def _start(head: nn.Linear, start: str) -> None:
    """A new head, which is zero, as `start` says."""
    if start == "normal":
        nn.init.trunc_normal_(head.weight, std=0.02)
    elif start == "uniform":
        head.reset_parameters()


def _is_bias_or_norm(name: str) -> bool:
    """Whether a parameter is a bias, a shift of a linear or a norm's: "blocks.3.fc1.shift".

    Scale and shift of the patch embedding are neither, as in the code of RLRR.
    """
    *path, leaf = name.split(".")
    at_norm = any("norm" in part for part in path)
    at_patch = "patch" in path
    return at_norm or "bias" in leaf or (leaf == "shift" and not at_patch)


def _same_kind(old: Tensor, new: Tensor) -> Tensor:
    return nn.Parameter(new) if isinstance(old, nn.Parameter) else new


def _count(parameters: Iterable[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Inside, the CPU's generator starts from `seed`; afterwards it goes on as before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _to_key(name: str) -> str:
    return name.replace(".", "/")


def _from_key(key: str) -> str:
    return key.replace("/", ".")
