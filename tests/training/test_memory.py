"""A run that cannot fit into memory is refused in a sentence, before its first step."""

from dataclasses import replace

import pytest
import torch
from small import disturbed, images, new, random_vit
from torch.autograd.graph import saved_tensors_hooks

from peft_demo.adapters import attach
from peft_demo.contracts.errors import TrainingFailed
from peft_demo.contracts.events import Started, Stepped
from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.data.few_shot_tensors import FewShotTensors
from peft_demo.inference.precision import FP32
from peft_demo.inference.predict import batch_at
from peft_demo.methods import methods
from peft_demo.training import memory, train
from peft_demo.training.memory import check_images, saved_bytes, with_blocks_again
from peft_demo.training.recompute import Recomputed, recompute_blocks

RUN = RunSpec("lora", recipe=Recipe(epochs=1, batch=8, precision=FP32))


def material() -> FewShotTensors:
    """Eight black pictures of 32 px to train on, and none else."""
    pictures = torch.zeros(8, 3, 32, 32, dtype=torch.uint8)
    nothing = pictures[:0], torch.zeros(0, dtype=torch.int64)
    train = pictures, torch.arange(8) % 2
    return FewShotTensors(("a", "b"), train, nothing, nothing, "split", ())


def really_saved(model, images) -> int:
    """Bytes of the activations that autograd keeps of a real forward pass."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes(), tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor), memory.autocast(images.device, FP32):
        model(images)
    return sum(size for size, _ in kept.values())


FEW = ["lora", "rlrr", "ssf", "vpt_deep"]
ALL = [name for name, method in methods().items() if not method.survey]


@pytest.mark.parametrize("names", [FEW, pytest.param(ALL, marks=pytest.mark.slow)])
def test_the_estimate_counts_what_autograd_keeps(names, tiny):
    """Without a content it finds what a real pass keeps, within a fifth."""
    images = torch.zeros(4, 3, 32, 32)
    for name in names:
        model = attach(tiny, new(name, tiny)).train()
        real = really_saved(model, images)
        assert 0.8 * real <= saved_bytes(model, tiny, 4, FP32) <= 1.2 * real, name


def gradients(model, adapter):
    """Of a sum over the logits of four images."""
    torch.manual_seed(0)
    adapter.zero_grad()
    model(images()).square().sum().backward()
    return [p.grad.clone() for p in adapter.parameters() if p.grad is not None]


@pytest.mark.parametrize("name", ALL)
def test_blocks_that_are_computed_again_have_the_same_gradients(name, tiny):
    adapter = disturbed(new(name, tiny))
    model = attach(tiny, adapter).train()
    first = gradients(model, adapter)
    recompute_blocks(model)
    second = gradients(model, adapter)
    assert first and len(first) == len(second)
    assert all(map(torch.equal, first, second))
    assert not any(isinstance(module, Recomputed) for module in tiny.model.modules())


def test_blocks_that_are_computed_again_keep_little():
    deep = random_vit(depth=6)
    model = attach(deep, new("lora", deep)).train()
    normal = really_saved(model, images())
    recompute_blocks(model)
    kept = really_saved(model, images())
    estimated = with_blocks_again(normal, deep.anatomy, len(images()))
    assert kept < estimated < normal / 3


def test_a_run_with_little_memory_ends_like_any_other(tiny):
    endings = []
    for how in ("normal", "low"):
        run = replace(RUN, recipe=replace(RUN.recipe, memory=how))
        losses = [event.loss for event in train(run, tiny, material()) if type(event) is Stepped]
        endings.append(losses)
    assert endings[0] == endings[1] != []


def test_a_step_that_does_not_fit_is_refused_before_it_is_taken(tiny, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda _: 100_000)
    with pytest.raises(TrainingFailed, match=r"batch 8 at 32 px would take .* GB") as caught:
        next(train(RUN, tiny, material()))
    assert "smaller batch" in caught.value.hint


def test_a_run_takes_its_share_and_no_more(tiny, monkeypatch):
    """On a Space others need memory, too."""
    model = attach(tiny, new("lora", tiny)).train()
    needed = memory.BEYOND_SAVED * saved_bytes(model, tiny, 8, FP32)
    monkeypatch.setattr(memory, "free_bytes", lambda _: 1.5 * needed)
    assert isinstance(next(train(RUN, tiny, material())), Started)
    with pytest.raises(TrainingFailed, match="free for this run"):
        next(train(RUN, tiny, material(), memory_share=0.5))


def test_pictures_that_do_not_fit_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda _: 8_000_000_000)
    check_images(5000, 224, share=1.0)
    with pytest.raises(TrainingFailed, match="5,000 pictures of 1024 px would take about"):
        check_images(5000, 1024, share=1.0)


def test_where_the_system_does_not_say_what_is_free_nothing_is_refused(tiny, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda _: None)
    check_images(10**9, 1024, share=0.1)
    assert isinstance(next(train(RUN, tiny, material())), Started)


def test_what_surely_fits_is_not_estimated(tiny, monkeypatch):
    """A walk through the model would cost as much as some steps."""
    monkeypatch.setattr(memory, "saved_bytes", lambda *_: pytest.fail("estimated"))
    monkeypatch.setattr(memory, "free_bytes", lambda _: 8_000_000_000)
    assert isinstance(next(train(RUN, tiny, material())), Started)


def test_the_bound_that_spares_the_walk_holds():
    wide = random_vit(depth=3, width=96)
    for name in ("full", "rlrr"):
        model = attach(wide, new(name, wide)).train()
        assert saved_bytes(model, wide, 8, FP32) < memory._most_bytes(wide.anatomy, 8), name


def test_large_images_are_answered_fewer_at_a_time():
    assert [batch_at(size) for size in (32, 224, 448, 1024)] == [64, 64, 4, 1]


def test_what_is_free_is_known_here():
    free = memory.free_bytes(torch.device("cpu"))
    assert free is None or free > 0
