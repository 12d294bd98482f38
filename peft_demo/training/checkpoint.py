"""The state of a run between two steps: with it the run goes on, and ends with the same bits.

A state is one safetensors file. Its tensors are those of the adapter and of its state that is kept
so far, the optimiser's, the random generators', the features computed so far and the curves. Its
metadata holds JSON: the step, what has been measured, and what the run began with (`check` compares
it). A SHA-256 over all of it tells a damaged file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from io import BytesIO
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ..contracts.errors import CannotResume
from ..contracts.events import Noticed
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..inference.inputs import CachedFeatures
from ..storage.header import parse_header
from ..vit import Backbone
from .kept import Kept

if TYPE_CHECKING:
    from .card import Curve
    from .train import Run

FORMAT = 1
"""Counted up when a state of before can no longer be read."""
FACTS = "peft_demo_run"
DIGEST = "sha256"
HEADER_LIMIT = 10_000_000
"""Bytes; a SPT allocation of a ViT-H takes some ten thousand."""
NAME = "the saved state of this run"
CHANGED = (
    "The machine has changed since this run began ({}): the last digits may differ from those of a "
    "run without an interruption."
)

_KINDS = {
    "format": int,
    "run": dict,
    "backbone": str,
    "images": list,
    "machine": dict,
    "allocation": dict,
    "step": int,
    "best": dict,
    "val_accuracy": float | None,
    "seconds": float,
    "learning_seconds": float,
}
"""Types of the facts."""

Facts = dict[str, Any]
Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """A state that was read, whole and of this format."""

    facts: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def allocation(self) -> Mapping[str, Any]:
        """What the method's survey decided, as an adapter's card keeps it; {} without a survey."""
        return self.facts["allocation"]

    @property
    def precision(self) -> str:
        """In which the run learns; "" in a state of before that did not say."""
        return self.facts["machine"].get("precision", "")

    def check(
        self, run: RunSpec, backbone: Backbone, material: FewShotTensors
    ) -> Iterator[Noticed]:
        """`CannotResume` if the run began with something else.

        Yields a notice where the last bits may differ, as the machine or torch is another.
        """
        if self.facts["run"] != run.to_json():
            raise CannotResume(f"{NAME} belongs to another run.")
        if self.facts["backbone"] != backbone.fingerprint:
            raise CannotResume(
                f"the weights of {backbone.name} are no longer those that this run began with.",
                "Put them back, or start a new run.",
            )
        if self.facts["images"] != _images(material):
            raise CannotResume(
                "the images are no longer those that this run began with.",
                "Put them back as they were, or start a new run.",
            )
        now = _machine(backbone)
        before = self.facts["machine"]
        changes = [
            f"{name} {before.get(name)} → {now[name]}"
            for name in now
            if now[name] != before.get(name)
        ]
        if changes:
            yield Noticed("warning", CHANGED.format(", ".join(changes)))

    def restore(self, run: "Run") -> None:
        """Makes a new run what the saved one was. `CannotResume` if they do not fit."""
        try:
            self._restore(run)
        except (KeyError, TypeError, ValueError, IndexError, RuntimeError):
            raise CannotResume(f"{NAME} does not fit the run.", "Start a new run.") from None

    def _restore(self, run: "Run") -> None:
        _copy(self._group("adapter"), run.adapter.state())
        _restore_optimizer(run.optimizer, self._group("optimizer"))
        if run.adapter.allocator:
            _copy(self._group("allocator"), run.adapter.allocator.state())
        if isinstance(run.inputs, CachedFeatures):
            _copy(self._group("features"), _features(run.inputs))
        run.step = self.facts["step"]
        run.kept = Kept.now(run.adapter, **self.facts["best"])
        _copy(self._group("best"), run.kept.state)
        run.measured.losses = _points(self.tensors["curve.losses"])
        run.measured.accuracies = _points(self.tensors["curve.accuracies"])
        run.measured.val_accuracy = self.facts["val_accuracy"]
        run.stopwatch.start -= self.facts["seconds"]
        run.stopwatch.seconds = self.facts["learning_seconds"]
        _restore_generators(run, self._group("generator"))

    def _group(self, group: str) -> Tensors:
        """The tensors of one group, by their names in it."""
        prefix = f"{group}."
        return {
            name.removeprefix(prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }


def state_of(run: "Run") -> bytes:
    """The state of a run between two steps, as the bytes of a file."""
    groups: dict[str, Mapping[str, Tensor]] = {
        "adapter": run.adapter.state(),
        "best": run.kept.state,
        "optimizer": _optimizer(run.optimizer),
        "generator": _generators(run),
        "curve": {
            "losses": _curve(run.measured.losses),
            "accuracies": _curve(run.measured.accuracies),
        },
    }
    if run.adapter.allocator:
        groups["allocator"] = run.adapter.allocator.state()
    if isinstance(run.inputs, CachedFeatures):
        groups["features"] = _features(run.inputs)
    tensors = {
        f"{group}.{name}": _owned(tensor)
        for group, members in groups.items()
        for name, tensor in members.items()
    }
    facts = json.dumps(_facts(run))
    metadata = {FACTS: facts, DIGEST: _digest(facts, tensors)}
    return save(tensors, metadata)


def parse(content: bytes) -> Checkpoint:
    """The state in the bytes of a file; `CannotResume` says why it cannot be used."""
    try:
        return _parse(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError):
        raise CannotResume(f"{NAME} is damaged.", "Start a new run.") from None


def _parse(content: bytes) -> Checkpoint:
    header = parse_header(BytesIO(content), NAME, HEADER_LIMIT, CannotResume)
    facts = header.metadata.get(FACTS, "")
    tensors = load(content)
    if header.metadata.get(DIGEST) != _digest(facts, tensors):
        raise CannotResume(f"{NAME} is damaged.", "Start a new run.")
    values = json.loads(facts)
    wrong = [name for name, kind in _KINDS.items() if not isinstance(values[name], kind)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} of another type")
    if values["format"] != FORMAT:
        raise CannotResume(
            f"{NAME} was written by another version of PEFT Demo.",
            "Go on with that version, or start a new run.",
        )
    return Checkpoint(values, tensors)


def _facts(run: "Run") -> Facts:
    kept = run.kept
    return {
        "format": FORMAT,
        "run": run.run.to_json(),
        "backbone": run.backbone.fingerprint,
        "images": _images(run.material),
        "machine": {**_machine(run.backbone), "precision": run.recipe.precision},
        "allocation": run.adapter.extra,
        "step": run.step,
        "best": {"accuracy": kept.accuracy, "loss": kept.loss, "step": kept.step},
        "val_accuracy": run.measured.val_accuracy,
        "seconds": run.stopwatch.since_start,
        "learning_seconds": run.stopwatch.seconds,
    }


def _images(material: FewShotTensors) -> list[Any]:
    """What tells whether a run would see the same images."""
    return [material.fingerprint, list(material.window.values), material.window.ground]


def _machine(backbone: Backbone) -> dict[str, str]:
    """What the last bits of a sum depend on."""
    return {
        "torch": version("torch"),
        "device": backbone.device.type,
        "threads": str(torch.get_num_threads()),
    }


def _digest(facts: str, tensors: Mapping[str, Tensor]) -> str:
    digest = sha256(facts.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _owned(tensor: Tensor) -> Tensor:
    """The tensor on the CPU, sharing its memory with no other, as safetensors wants it."""
    owned = tensor.detach().cpu().contiguous()
    shared = owned.untyped_storage().nbytes() != owned.nbytes
    return owned.clone() if shared else owned


def _copy(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> None:
    """Fills the tensors of `target`; `ValueError` unless names, shapes and dtypes agree."""
    if source.keys() != target.keys():
        raise ValueError("other tensors")
    for name, tensor in target.items():
        if source[name].shape != tensor.shape or source[name].dtype != tensor.dtype:
            raise ValueError(f"another {name}")
        tensor.data.copy_(source[name])


def _optimizer(optimizer: torch.optim.Optimizer) -> Tensors:
    """The optimiser's tensors, named NUMBER.WHAT: "3.exp_avg"."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{what}": t for number, part in state.items() for what, t in part.items()}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    state: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        number, _, what = name.partition(".")
        state.setdefault(int(number), {})[what] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _generators(run: "Run") -> Tensors:
    states = {"order": run.order.get_state(), "torch": torch.get_rng_state()}
    device = run.backbone.device.type
    if device != "cpu":
        states[device] = torch.get_device_module(device).get_rng_state()
    return states


def _restore_generators(run: "Run", states: Tensors) -> None:
    run.order.set_state(states["order"])
    torch.set_rng_state(states["torch"])
    device = run.backbone.device.type
    if device != "cpu" and device in states:
        torch.get_device_module(device).set_rng_state(states[device])


def _features(cached: CachedFeatures) -> Tensors:
    """Features are kept: computed in other batches, their last bits might differ."""
    return {"values": cached.values, "known": cached.known}


def _curve(points: "Curve") -> Tensor:
    """[N 2], float64, which holds every step and loss exactly."""
    return torch.tensor(points, dtype=torch.float64).reshape(len(points), 2)


def _points(curve: Tensor) -> "Curve":
    return [(int(step), value) for step, value in curve.tolist()]
