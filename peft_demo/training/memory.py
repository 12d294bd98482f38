"""Whether a run fits into memory, told before it begins.

A step is estimated by walking through the model with tensors that have shapes and no content, and
counting what autograd would keep for the way back. Measured on the CPU (`bundled` with lora, rlrr,
vpt_deep and full at 112 to 448 px, ViT-B and Swin-B with lora at 224 px), the real peak is 1.2 to
1.4 times that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks

from ..contracts.errors import TrainingFailed
from ..contracts.specs import Recipe, RunSpec
from ..inference.precision import autocast
from ..vit import Anatomy, Backbone

BEYOND_SAVED = 1.3
"""The peak of a step, relative to what autograd keeps."""
_FLOATS = 100
"""Numbers that autograd keeps per token, channel and block, at most."""
_HEAD_WIDTH = 32
"""Channels of an attention head, at least."""


def check_images(images: int, size: int, share: float) -> None:
    """Raises `TrainingFailed` if so many pictures of `size` px do not fit into the memory of this
    machine."""
    needed = images * 3 * size**2
    _check(needed, share, torch.device("cpu"), f"{images:,} pictures of {size} px")


def check_step(
    model: nn.Module, backbone: Backbone, batch: int, share: float, recipe: Recipe
) -> None:
    """Raises `TrainingFailed` if a step on `batch` images does not fit into the memory of the
    device.

    `share` is the part of what is free that the run may take.
    """
    free = free_bytes(backbone.device)
    if free is None or 4 * _most_bytes(backbone.anatomy, batch) < share * free:
        return
    kept = saved_bytes(model, backbone, batch, recipe.precision)
    if recipe.memory == "low":
        kept = with_blocks_again(kept, backbone.anatomy, batch)
    _check(BEYOND_SAVED * kept, share, backbone.device, f"batch {batch} at {backbone.size} px")


def with_blocks_again(kept: int, anatomy: Anatomy, batch: int) -> int:
    """Bytes that are kept where all of `kept` would be, but blocks are computed again: the input of
    each, and all that one of them needs."""
    tokens = anatomy.prefix + anatomy.grid[0] * anatomy.grid[1]
    inputs = 4 * batch * tokens * anatomy.width * anatomy.depth
    return inputs + kept // anatomy.depth


def saved_bytes(model: nn.Module, backbone: Backbone, batch: int, precision: str) -> int:
    """Bytes that autograd keeps of a forward pass on `batch` images. Nothing is computed."""
    kept: dict[int, tuple[int, Tensor]] = {}
    shapes_only = FakeTensorMode(allow_non_fake_inputs=True)
    # A weight that is kept is there anyway, be it the real one or what stands for it here.
    weights = [shapes_only.from_tensor(tensor) for tensor in model.state_dict().values()]
    not_counted = {weight.untyped_storage()._cdata for weight in weights}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if isinstance(tensor, FakeTensor) and storage._cdata not in not_counted:
            kept[storage._cdata] = storage.nbytes(), tensor
        return tensor

    hooks = saved_tensors_hooks(keep, lambda tensor: tensor)
    with shapes_only, hooks, autocast(backbone.device, precision):
        model(torch.empty(batch, 3, backbone.size, backbone.size, device=backbone.device))
    return sum(size for size, _ in kept.values())


@contextmanager
def memory_errors(run: RunSpec, backbone: Backbone) -> Iterator[None]:
    """Turns the error of a run that met the end of the memory all the same into a sentence."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(run, backbone) from error
    except RuntimeError as error:
        if "memory" not in str(error):
            raise
        raise _out_of_memory(run, backbone) from error


def _out_of_memory(run: RunSpec, backbone: Backbone) -> TrainingFailed:
    ways = [f"--batch {max(1, run.recipe.batch // 2)}"]
    if run.recipe.memory == "normal":
        ways.insert(0, "--memory low")
    if backbone.size > 112:
        ways.append("a smaller --size")
    return TrainingFailed(
        f"memory ran out at batch {run.recipe.batch} and {backbone.size} px.",
        f"Try {' or '.join(ways)}.",
    )


def free_bytes(device: torch.device) -> int | None:
    """Bytes that can still be had on the device; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    known = [value for value in (_free_of_machine(), _free_of_container()) if value is not None]
    return min(known, default=None)


def _free_of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):  # no Linux
        return None
    return 1024 * int(line.split()[1])


def _free_of_container() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        most = int((folder / "memory.max").read_text())
        return most - int((folder / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return None


def _most_bytes(anatomy: Anatomy, batch: int) -> int:
    """A number of bytes that a step does not reach, from shapes alone."""
    tokens = anatomy.prefix + anatomy.grid[0] * anatomy.grid[1]
    channels = _FLOATS * anatomy.width
    attention = 2 * tokens * (anatomy.width // _HEAD_WIDTH + 1)
    return 4 * batch * tokens * anatomy.depth * (channels + attention)


def _check(needed: float, share: float, device: torch.device, what: str) -> None:
    free = free_bytes(device)
    if free is None or needed <= share * free:
        return
    raise TrainingFailed(
        f"{what} would take about {needed / 1e9:.1f} GB of memory; "
        f"{share * free / 1e9:.1f} GB are free for this run.",
        "Choose a smaller batch, image size or backbone, or fewer pictures.",
    )
