"""An adapter: the deltas of a method, the backbone tensors it trains a copy of, its own head with its classes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..methods import Method, Parts
from ..vit import Anatomy, Backbone, Delta
from ..vit.anatomy import tree_name


class Adapter(nn.Module):
    """Everything a run trains and a file keeps. Not a model: `attach` makes one of it and a backbone.

    `deltas` by site name, `tensors` (replaced ones) by timm name, dots written "/" because torch reserves them; `head`
    maps features [B D] to logits [B C]. A parameter shared between deltas is one tensor, kept once.
    """

    unpacked = False
    """Whether it was read from a file of fewer bits (see `codec`): then it answers, and is not written again."""

    def __init__(
        self,
        method: Method,
        config,
        parts: Parts,
        replaced: Mapping[str, Tensor],
        features: int,
        classes: int,
    ):
        super().__init__()
        self.method = method
        self.config = config
        self.extra = dict(parts.extra)
        self.deltas = nn.ModuleDict({_key(site): delta for site, delta in parts.deltas.items()})
        self.tensors = nn.ParameterDict(
            {_key(name): nn.Parameter(t) for name, t in replaced.items()}
        )
        self.head = (parts.head or _zero_head)(features, classes)

    def by_site(self) -> dict[str, Delta]:
        return {_name(key): delta for key, delta in self.deltas.items()}

    def replaced(self) -> dict[str, nn.Parameter]:
        return {_name(key): tensor for key, tensor in self.tensors.items()}

    def state(self) -> dict[str, Tensor]:
        """All tensors a file keeps, by name, each once: parameters, then integer buffers."""
        return dict(self.named_parameters()) | dict(self.named_buffers())

    @property
    def trainable(self) -> int:
        """Parameters without the head."""
        return sum(p.numel() for p in self.parameters()) - self.head_parameters

    @property
    def head_parameters(self) -> int:
        return sum(p.numel() for p in self.head.parameters())

    def groups(self, weight_decay: float) -> list[dict]:
        """Parameter groups for an optimiser: matrices by role with `weight_decay`, everything else without."""
        matrices = {id(p) for p in self._matrices()}
        parameters = list(self.parameters())
        return [
            {"params": [p for p in parameters if id(p) in matrices], "weight_decay": weight_decay},
            {"params": [p for p in parameters if id(p) not in matrices], "weight_decay": 0.0},
        ]

    def _matrices(self) -> Iterator[nn.Parameter]:
        yield self.head.weight
        yield from (
            p for name, p in self.replaced().items() if name.endswith(".weight") and p.ndim > 1
        )
        for delta in self.deltas.values():
            yield from (getattr(delta, name) for name in delta.matrices)


def create(
    method: Method, config, backbone: Backbone, classes: int, seed: int, allocation=None
) -> Adapter:
    """A new adapter, its random starts drawn from `seed` alone; on the backbone's device.

    `allocation` is what the method's survey decided, if it has one; without, it builds the same for all images.
    """
    live = backbone.model.state_dict()
    with _seeded(seed):
        parts = method.parts(backbone.anatomy, config, allocation)
        replaced = {
            name: live[path].detach().cpu().clone() for name, path in paths(parts.replaces).items()
        }
        adapter = Adapter(method, config, parts, replaced, backbone.anatomy.features, classes)
    return adapter.to(backbone.device)


def meta_adapter(
    method: Method, config, anatomy: Anatomy, classes: int, allocation=None
) -> Adapter:
    """The same on the meta device: names and shapes, no memory, nothing drawn."""
    with torch.device("meta"):
        parts = method.parts(anatomy, config, allocation)
        replaced = {name: torch.empty(anatomy.tensors[name]) for name in parts.replaces}
        return Adapter(method, config, parts, replaced, anatomy.features, classes)


def materialize(adapter: Adapter, state: Mapping[str, Tensor]) -> Adapter:
    """Gives a skeleton its tensors; a parameter that several deltas share stays one."""
    fresh = {id(t): _like(t, state[name]) for name, t in adapter.state().items()}
    for module in adapter.modules():
        for kind in (module._parameters, module._buffers):
            kind.update({name: fresh[id(t)] for name, t in kind.items() if t is not None})
    return adapter


def paths(names: Sequence[str]) -> dict[str, str]:
    """timm names → names in the exposed tree."""
    return {name: tree_name(name) for name in names}


def _zero_head(features: int, classes: int) -> nn.Linear:
    head = nn.Linear(features, classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def _like(old: Tensor, new: Tensor) -> Tensor:
    return nn.Parameter(new) if isinstance(old, nn.Parameter) else new


@contextmanager
def _seeded(seed: int):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _key(name: str) -> str:
    return name.replace(".", "/")


def _name(key: str) -> str:
    return key.replace("/", ".")
