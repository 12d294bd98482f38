"""A run as one safetensors file, bit-exact both ways; no pickle.

The file is complete or it is not there.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim import Optimizer

from ..storage.atomic import atomic_write

MOMENTS = ("exp_avg", "exp_avg_sq", "step", "momentum_buffer")
"""AdamW's three and Muon's one."""


def write_tensors(
    tensors: Mapping[str, torch.Tensor], path: Path, metadata: dict[str, str]
) -> None:
    """`path` holds the new tensors afterwards; until then, or after a crash, the old ones."""
    content = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_write(Path(path)) as draft:
        save_file(content, draft, metadata)
        draft.chmod(0o644)  # safetensors leaves it to the owner alone
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())


def save(
    path: Path,
    model: nn.Module,
    optimisers: Sequence[Optimizer],
    statistics: torch.Tensor,
    record: Mapping[str, Any],
) -> None:
    """Writes weights, optimiser moments, target statistics and `record` (as JSON)."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors["statistics"] = statistics
    owners = _owners(optimisers)
    for name, parameter in model.named_parameters():
        state = owners[parameter].state[parameter]
        for moment in MOMENTS:
            if moment in state:
                tensors[f"{moment}.{name}"] = state[moment]
    write_tensors(tensors, path, {"format": "pt", "run": json.dumps(record)})


def read_record(path: Path) -> dict[str, Any]:
    """The `record` of the run at `path`; `FileNotFoundError` when there is none."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["run"])


def load(path: Path, model: nn.Module, optimisers: Sequence[Optimizer]) -> torch.Tensor:
    """Restores weights and moments in place; returns the target statistics."""
    tensors = load_file(path)
    weights = {name: t for name, t in tensors.items() if name.startswith("model.")}
    model.load_state_dict({name.removeprefix("model."): t for name, t in weights.items()})
    owners = _owners(optimisers)
    for name, parameter in model.named_parameters():
        state = owners[parameter].state[parameter]
        for moment in MOMENTS:
            if f"{moment}.{name}" in tensors:
                value = tensors[f"{moment}.{name}"]
                # torch's optimisers keep their step count on the CPU.
                state[moment] = value if moment == "step" else value.to(parameter.device)
    return tensors["statistics"]


def _owners(optimisers: Sequence[Optimizer]) -> dict[nn.Parameter, Optimizer]:
    """Which optimiser moves which parameter."""
    owners = {}
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            owners |= dict.fromkeys(group["params"], optimiser)
    return owners
