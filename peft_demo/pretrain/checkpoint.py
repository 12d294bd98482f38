"""A run as one safetensors file, bit-exact both ways; no pickle. The file is complete or it is not there."""

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.optim import Optimizer

from ..storage.atomic import atomic_write

MOMENTS = ("exp_avg", "exp_avg_sq", "step", "momentum_buffer")  # AdamW's three and Muon's one


def write_atomically(
    tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]
) -> None:
    """`path` holds the new tensors afterwards; a reader meanwhile, or a crash, finds the old ones."""
    with atomic_write(Path(path)) as draft:
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            draft,
            metadata,
        )
        draft.chmod(0o644)  # safetensors leaves it to the owner alone
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())


def save(
    path: Path, model: nn.Module, optimisers: list[Optimizer], statistics: torch.Tensor, about: dict
) -> None:
    """Writes weights, optimiser moments, target statistics and `about` (JSON)."""
    found = {f"model.{name}": tensor for name, tensor in model.state_dict().items()} | {
        "statistics": statistics
    }
    owners = _owners(optimisers)
    for name, parameter in model.named_parameters():
        state = owners[parameter].state[parameter]
        found |= {f"{moment}.{name}": state[moment] for moment in MOMENTS if moment in state}
    write_atomically(found, path, {"format": "pt", "run": json.dumps(about)})


def about(path: Path) -> dict:
    """What the run at `path` says of itself; raises FileNotFoundError when there is none."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["run"])


def load(path: Path, model: nn.Module, optimisers: list[Optimizer]) -> torch.Tensor:
    """Restores weights and moments in place; returns the target statistics."""
    with safe_open(path, "pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    model.load_state_dict(
        {n.removeprefix("model."): t for n, t in found.items() if n.startswith("model.")}
    )
    owners = _owners(optimisers)
    for name, parameter in model.named_parameters():
        moments = {
            moment: found[f"{moment}.{name}"] for moment in MOMENTS if f"{moment}.{name}" in found
        }
        on_device = {
            moment: t if moment == "step" else t.to(parameter.device)
            for moment, t in moments.items()
        }
        owners[parameter].state[parameter] = on_device
    return found["statistics"]


def _owners(optimisers: list[Optimizer]) -> dict[nn.Parameter, Optimizer]:
    """Which optimiser moves which parameter."""
    return {
        p: optimiser
        for optimiser in optimisers
        for group in optimiser.param_groups
        for p in group["params"]
    }
