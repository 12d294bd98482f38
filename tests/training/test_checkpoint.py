"""The state of a run: damaged, of another version or of another run it is refused."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save
from small import material, random_vit

from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import CannotResume
from peft_demo.contracts.events import Checkpointed, Evaluated, Improved, Noticed
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.contracts.window import Window
from peft_demo.training import checkpoint, train
from peft_demo.training.checkpoint import DIGEST, FACTS, _digest, parse

RUN = RunSpec("lora", {"rank": 2}, DataSpec(shots=8), recipe=Recipe(epochs=3, batch=12))


def states(backbone, run=RUN) -> list[bytes]:
    events = train(run, backbone, material())
    return [event.state() for event in events if isinstance(event, Checkpointed)]


@pytest.fixture(scope="module")
def state(tiny) -> bytes:
    return states(tiny)[0]


def resumed(state, backbone, run=RUN, images=None) -> list:
    return list(train(run, backbone, images or material(), state=state))


def test_there_is_a_state_at_every_validation(tiny):
    events = list(train(RUN, tiny, material()))
    validated = [event.step for event in events if isinstance(event, Evaluated)]
    assert [e.step for e in events if isinstance(e, Checkpointed)] == validated == [2, 4, 6]


def best_step(events: list) -> int:
    (*_, best) = [event.step for event in events if isinstance(event, Evaluated) and event.best]
    return best


def one_that_gets_worse(backbone) -> tuple[RunSpec, list]:
    """A run whose best state is not its last, and its events; which one that is depends on how the
    processor rounds."""
    wild = Recipe(epochs=4, batch=12, lr=1.0, head_lr=1.0, clip=0.0, smoothing=0.0, augment="none")
    for seed in range(20):
        run = replace(RUN, data=DataSpec(shots=8, seed=seed), recipe=wild)
        events = list(train(run, backbone, material()))
        if best_step(events) < 8:
            return run, events
    raise AssertionError("none of twenty got worse")


def test_the_best_state_comes_back_where_it_lies_before_the_interruption(tiny):
    run, whole = one_that_gets_worse(tiny)
    best = best_step(whole)
    rest = resumed(states(tiny, run)[-2], tiny, run)
    files = [[e for e in events if isinstance(e, Improved)][-1] for events in (whole, rest)]
    first, second = (AdapterFile.parse(event.adapter).tensors() for event in files)
    assert files[0].step == files[1].step == best
    assert all(torch.equal(first[name], second[name]) for name in first)


@given(st.data())
def test_a_state_that_is_cut_short_or_changed_is_refused(state, data):
    place = data.draw(st.integers(0, len(state) - 1))
    changed = bytearray(state)
    changed[place] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(changed), state[:place]):
        with pytest.raises(CannotResume):
            checkpoint.parse(damaged)


def test_what_changed_since_is_refused(state, tiny):
    other = replace(RUN, recipe=replace(RUN.recipe, lr=0.5))
    with pytest.raises(CannotResume, match="another run"):
        resumed(state, tiny, other)
    with pytest.raises(CannotResume, match="weights of tiny are no longer those"):
        resumed(state, random_vit(seed=4))
    for images in (
        replace(material(), fingerprint="other"),
        replace(material(), window=Window((0, 9))),
    ):
        with pytest.raises(CannotResume, match="images are no longer those"):
            resumed(state, tiny, images=images)


def with_facts(state: bytes, **changes) -> bytes:
    """The state with other facts and a digest that fits."""
    saved = checkpoint.parse(state)
    tensors = load(state)
    facts = json.dumps({**saved.facts, **changes})
    digest = checkpoint._digest(facts, tensors)
    return save(tensors, {checkpoint.FACTS: facts, checkpoint.DIGEST: digest})


def test_another_version_of_the_format_is_refused(state, tiny):
    with pytest.raises(CannotResume, match="another version"):
        resumed(with_facts(state, format=checkpoint.FORMAT + 1), tiny)


def test_a_state_that_does_not_fit_is_refused(state, tiny):
    with pytest.raises(CannotResume, match="does not fit"):
        resumed(with_facts(state, best={"colour": 1}), tiny)


def test_another_machine_is_a_warning(state, tiny):
    before = {**checkpoint.parse(state).facts["machine"], "torch": "1.0"}
    events = resumed(with_facts(state, machine=before), tiny)
    (notice,) = [event for event in events if isinstance(event, Noticed)]
    assert notice.level == "warning" and "torch 1.0 → " in notice.text
    assert "threads" not in notice.text


@pytest.mark.parametrize(
    "facts",
    ["", "no JSON", "[]", "{}", '{"format": 1}', "[" * 900 + "]" * 900],
)
def test_a_state_whose_facts_are_odd_is_refused(facts):
    """Also one that carries a sound digest: whoever writes the file can compute it."""
    tensors = {"adapter.a": torch.zeros(2)}
    metadata = {FACTS: facts, DIGEST: _digest(facts, tensors)}
    with pytest.raises(CannotResume):
        parse(save(tensors, metadata))


def test_a_state_whose_facts_are_of_another_type_is_refused(state, tiny):
    header = json.loads(state[8 : 8 + int.from_bytes(state[:8], "little")])
    sound = json.loads(header["__metadata__"][FACTS])
    tensors = load(state)
    for name in sound:
        facts = json.dumps({**sound, name: [1, 2] if name != "images" else 5})
        with pytest.raises(CannotResume):
            resumed(save(tensors, {FACTS: facts, DIGEST: _digest(facts, tensors)}), tiny)
