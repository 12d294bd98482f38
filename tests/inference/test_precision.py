"""The precision in which a run learns: measured, or as it is asked for."""

from dataclasses import replace

import pytest
import torch
from small import material
from torch.nn import functional as F

from peft_demo.adapters import AdapterFile, attach, create
from peft_demo.contracts.events import Checkpointed, Finished, Improved, Resumed, Started
from peft_demo.contracts.specs import PRECISIONS, Recipe, RunSpec
from peft_demo.inference import autocast, disable_slow_fused_attention, precision
from peft_demo.inference.precision import AUTO, BF16, FP32, choose, faster
from peft_demo.methods import find_method
from peft_demo.training import train

CPU = torch.device("cpu")
RUN = RunSpec("lora", recipe=Recipe(epochs=2, batch=8))


@pytest.fixture
def machine(monkeypatch):
    """Sets how long a product takes in bf16, as a share of the time in fp32."""

    def is_one(share: float) -> None:
        faster.cache_clear()
        seconds = {torch.float32: 1.0, torch.bfloat16: share}
        monkeypatch.setattr(precision, "_seconds", lambda call, x, W: seconds[x.dtype])

    yield is_one
    faster.cache_clear()


def last_file(events):
    return AdapterFile.parse([e.adapter for e in events if isinstance(e, Improved)][-1])


def are_equal(first, second):
    pairs = first.tensors(), second.tensors()
    return all(torch.equal(pairs[0][name], pairs[1][name]) for name in pairs[0])


def test_the_knob_offers_what_there_is():
    assert PRECISIONS == (AUTO, FP32, BF16)


@pytest.mark.parametrize(("share", "chosen"), [(0.15, BF16), (0.5, BF16), (0.9, FP32), (3, FP32)])
def test_what_is_faster_here_is_taken(machine, share, chosen):
    machine(share)
    assert choose(AUTO, CPU, 192) == chosen
    assert [choose(wanted, CPU, 192) for wanted in (FP32, BF16)] == [FP32, BF16]


def test_a_busy_machine_measures_the_same(monkeypatch):
    """The fastest turn counts."""
    faster.cache_clear()
    waits = iter([9.0, 0.5, 1.0, 7.0] + [3.0] * 99)
    monkeypatch.setattr(precision, "_seconds", lambda call, x, W: next(waits))
    assert faster(CPU, 192) == BF16
    faster.cache_clear()


def test_it_is_really_measured_once(monkeypatch):
    faster.cache_clear()
    calls = []
    seconds = precision._seconds
    monkeypatch.setattr(precision, "_seconds", lambda *args: calls.append(1) or seconds(*args))
    assert faster(CPU, 48) in (BF16, FP32)
    measured = len(calls)
    assert measured and faster(CPU, 48) and len(calls) == measured
    faster.cache_clear()


@pytest.mark.parametrize(("name", "dtype"), [(BF16, torch.bfloat16), (FP32, torch.float32)])
def test_products_are_in_the_precision(name, dtype):
    with autocast(CPU, name):
        assert F.linear(torch.ones(1, 2), torch.ones(3, 2)).dtype is dtype


@pytest.mark.parametrize("name", [BF16, FP32])
def test_attention_is_changed_in_the_attached_model_alone(name, tiny):
    lora = find_method("lora")
    adapter = create(lora, lora.config({}), tiny, 2, seed=0)
    model = disable_slow_fused_attention(attach(tiny, adapter), CPU, name)
    assert all(block.attn.map.fused_attn is (name == FP32) for block in model.blocks)
    assert all(block.attn.map.fused_attn for block in tiny.model.blocks)


@pytest.mark.parametrize("wanted", [AUTO, BF16, FP32])
def test_a_run_says_in_which_it_has_learnt(wanted, machine, tiny):
    machine(0.5)
    chosen = BF16 if wanted == AUTO else wanted
    run = replace(RUN, recipe=replace(RUN.recipe, precision=wanted))
    events = list(train(run, tiny, material()))
    ends = [e.precision for e in events if isinstance(e, Started | Finished)]
    assert ends == [chosen, chosen]
    assert last_file(events).card.spec["recipe"]["precision"] == chosen


def test_the_run_on_a_card_repeats_its_bits_where_the_other_precision_is_faster(machine, tiny):
    machine(0.5)
    first = last_file(train(RUN, tiny, material()))
    machine(2.0)
    assert are_equal(first, last_file(train(RunSpec.from_json(first.card.spec), tiny, material())))
    assert not are_equal(first, last_file(train(RUN, tiny, material())))


def test_a_run_goes_on_in_the_precision_that_it_began_in(machine, tiny):
    machine(0.5)
    events = list(train(RUN, tiny, material()))
    state = next(e for e in events if isinstance(e, Checkpointed)).state()
    machine(2.0)
    rest = list(train(RUN, tiny, material(), state=state))
    assert any(isinstance(e, Resumed) for e in rest)
    assert are_equal(last_file(events), last_file(rest))
