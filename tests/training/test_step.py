"""A step that is recorded learns what a step that is taken learns; on the CPU, with a recorder that
repeats the calls."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from small import images, labels, material, new
from torch import Tensor

from peft_demo.adapters import attach
from peft_demo.contracts.events import Noticed
from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.training import train
from peft_demo.training.step import WARM_UP, Batch, Recorded, Step, set_rates, why_not_recorded
from peft_demo.vit import Backbone

CPU = torch.device("cpu")
CUDA = torch.device("cuda")
SIZE = 4


class Recorder:
    """Plays a call by calling it again, and counts."""

    def __init__(self) -> None:
        self.recorded = self.played = self.aside = 0

    def record(self, call):
        self.recorded += 1

        def play():
            self.played += 1
            return call()

        return play

    def beside(self, call):
        self.aside += 1
        return call()


def batches(weighted: bool) -> Sequence[Batch]:
    """Epochs of two whole batches and one that is smaller."""
    sizes = [SIZE, SIZE, 2] * 3
    weights = [torch.rand(size) + 0.5 if weighted else None for size in sizes]
    return [
        (images(size, seed), labels(size), weight)
        for seed, (size, weight) in enumerate(zip(sizes, weights, strict=True))
    ]


def learned(backbone: Backbone, data: Sequence[Batch], recorder: Recorder | None) -> list[Tensor]:
    """Losses and norms of a run whose rate changes with every step, and what it learned."""
    adapter = new("lora", backbone)
    model = attach(backbone, adapter).train()
    lr = 0.0 if recorder is None else torch.tensor(0.0)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=lr)
    take = step = Step(model, adapter.parameters(), optimizer, Recipe(precision="fp32"), CPU)
    if recorder:
        take = Recorded(step, SIZE, recorder.record, recorder.beside)
    told: list[Tensor] = []
    for number, batch in enumerate(data, start=1):
        set_rates(optimizer, [1e-2], number / len(data), 0.0)
        told += [value.clone() for value in take(batch)]
    return told + [p.detach() for p in adapter.parameters()]


@pytest.mark.parametrize("weighted", [False, True])
def test_recorded_steps_learn_what_taken_ones_learn(tiny: Backbone, weighted: bool) -> None:
    data = batches(weighted)
    recorder = Recorder()
    taken = learned(tiny, data, None)
    played = learned(tiny, data, recorder)
    for own, other in zip(taken, played, strict=True):
        assert torch.allclose(own, other, atol=1e-6)
    whole = sum(len(batch[0]) == SIZE for batch in data[WARM_UP:])
    assert (recorder.recorded, recorder.played) == (1, whole)
    assert recorder.aside == len(data) - whole


def test_no_step_is_recorded_before_the_warm_up(tiny: Backbone) -> None:
    recorder = Recorder()
    learned(tiny, batches(False)[:2], recorder)
    assert recorder.recorded == 0


def test_what_cannot_be_recorded_is_said() -> None:
    recipe = Recipe(graph="on")
    assert why_not_recorded(recipe, CUDA, allocates=False) == ""
    assert "CUDA" in why_not_recorded(recipe, CPU, allocates=False)
    assert "sgd" in why_not_recorded(replace(recipe, optimizer="sgd"), CUDA, allocates=False)
    assert "twice" in why_not_recorded(replace(recipe, memory="low"), CUDA, allocates=False)
    assert "gradients" in why_not_recorded(recipe, CUDA, allocates=True)


def test_a_run_without_a_gpu_says_that_it_records_nothing(tiny: Backbone) -> None:
    events = train(RunSpec("lora", recipe=Recipe(epochs=1, graph="on")), tiny, material())
    texts = [event.text for event in events if isinstance(event, Noticed)]
    assert any("not recorded" in text for text in texts)
