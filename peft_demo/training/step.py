"""A step of the optimiser: taken kernel by kernel, or recorded once and played again.

With small batches a GPU waits for Python to launch hundreds of short kernels. A CUDA graph is all
of a step as one launch: batch, labels and rates lie in tensors that stay where they are, and only
their values change (Gray, "Getting Started with CUDA Graphs", NVIDIA, 2019). It computes the same.

Tested with a recorder on the CPU alone; on a GPU it has not been measured yet, so it is off unless
asked for.
"""

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn

from ..contracts.specs import Recipe
from ..inference.precision import autocast
from .balance import mean_loss
from .schedule import rate

Batch = tuple[Tensor, Tensor, Tensor | None]
"""Inputs [B ...], labels [B], and what the loss of each counts [B], None where all count alike."""

Told = tuple[Tensor, Tensor]
"""The loss before a step and the norm of its gradient, on the device."""

Call = Callable[[], Told]

WARM_UP = 3
"""Steps that are taken before one is recorded, as PyTorch's notes on CUDA graphs ask for."""


class Step:
    """Forward, loss, backward, clipping and AdamW, on one batch."""

    def __init__(
        self,
        learner: nn.Module,
        parameters: Iterable[nn.Parameter],
        optimizer: torch.optim.Optimizer,
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        self.learner = learner
        self.parameters = list(parameters)
        self.optimizer = optimizer
        self.recipe = recipe
        self.device = device

    def __call__(self, batch: Batch) -> Told:
        loss = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = self._clip()
        self.optimizer.step()
        return loss.detach(), norm

    def loss(self, batch: Batch) -> Tensor:
        """Of a forward pass, in the recipe's precision."""
        inputs, labels, weights = batch
        with autocast(self.device, self.recipe.precision):
            logits = self.learner(inputs)
        return mean_loss(logits.float(), labels, self.recipe.smoothing, weights)

    def _clip(self) -> Tensor:
        """The norm of the gradient, which is clipped where the recipe says so."""
        if self.recipe.clip:
            return nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        return nn.utils.get_total_norm(p.grad for p in self.parameters if p.grad is not None)


def cuda_graph(call: Call) -> Call:
    """Records what `call` launches, which does not run yet; what plays it."""
    graph = torch.cuda.CUDAGraph()
    # Other threads may use the GPU meanwhile: the page answers while a run learns.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        told = call()

    def play() -> Told:
        graph.replay()
        return told

    return play


def side_stream(call: Call) -> Told:
    """`call()` on a stream of its own: a gradient of the default stream cannot be recorded."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        told = call()
    torch.cuda.current_stream().wait_stream(stream)
    return told


class Recorded:
    """A step that is played again for each batch of `size` images once it has been recorded.

    Batches of another size, and the first few, are taken kernel by kernel. `record` and `aside` are
    there for tests without a GPU.
    """

    def __init__(
        self,
        step: Step,
        size: int,
        record: Callable[[Call], Call] = cuda_graph,
        aside: Callable[[Call], Told] = side_stream,
    ) -> None:
        self.step = step
        self.size = size
        self._record = record
        self._aside = aside
        self._taken = 0
        self._held: Batch | None = None
        self._play: Call | None = None

    def __call__(self, batch: Batch) -> Told:
        if self._taken < WARM_UP or len(batch[0]) != self.size:
            self._taken += 1
            return self._aside(partial(self.step, batch))
        if self._held is None or self._play is None:
            self._held = _copy(batch)
            self._play = self._record(partial(self.step, self._held))
        for held, new in zip(self._held, batch, strict=True):
            if held is not None and new is not None:
                held.copy_(new)
        return self._play()


def _copy(batch: Batch) -> Batch:
    inputs, labels, weights = batch
    return inputs.clone(), labels.clone(), None if weights is None else weights.clone()


def set_rates(
    optimizer: torch.optim.Optimizer, peaks: Iterable[float], share: float, lowest: float
) -> None:
    """Sets the learning rate of each group to a `share` of the way from the lowest to its peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        value = rate(share, peak, lowest)
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(value)
        else:
            group["lr"] = value


def why_not_recorded(recipe: Recipe, device: torch.device, allocates: bool) -> str:
    """Why steps are not recorded although the recipe asks for it; empty if they can be."""
    if device.type != "cuda":
        return "only a CUDA GPU can"
    if recipe.optimizer != "adamw":
        return f"{recipe.optimizer} cannot be"
    if recipe.memory == "low":
        return "blocks that are computed twice cannot be"
    if allocates:
        return "this method looks at the gradients between steps"
    return ""
