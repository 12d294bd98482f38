"""Uneven classes: how often each is drawn, what its mistakes weigh, and that it is learned."""

from dataclasses import replace

import pytest
import torch
from small import coloured, material

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.events import Finished, Stepped
from peft_demo.contracts.knobs import build
from peft_demo.contracts.specs import BALANCES, DataSpec, Recipe, RunSpec
from peft_demo.training import train
from peft_demo.training.balance import even_draws, even_weights

UNEVEN = torch.tensor([0] * 12 + [1] * 3 + [2] * 2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_class_is_drawn_equally_often_in_an_epoch_of_the_same_length():
    """17 draws of three classes: 6, 6 and 5; over many epochs each class has its third."""
    stream = generator()
    epochs = [even_draws(UNEVEN, stream) for _ in range(300)]
    counts = torch.stack([UNEVEN[epoch].bincount(minlength=3) for epoch in epochs])
    assert {len(epoch) for epoch in epochs} == {17}
    assert {tuple(sorted(row)) for row in counts.tolist()} == {(5, 6, 6)}
    assert counts.float().mean(dim=0).tolist() == pytest.approx([17 / 3] * 3, abs=0.1)


def test_no_image_is_drawn_again_before_all_of_its_class_were():
    epoch = even_draws(UNEVEN, generator())
    times = epoch.bincount(minlength=17)
    for label in range(3):
        drawn = times[label == UNEVEN]
        assert drawn.max() - drawn.min() <= 1


def test_draws_are_in_random_order_and_follow_from_the_seed():
    first, again, other = (even_draws(UNEVEN, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert UNEVEN[first].tolist() != sorted(UNEVEN[first].tolist())


def test_an_even_set_is_drawn_as_without_balance_each_image_once():
    even = torch.arange(12) % 3
    assert sorted(even_draws(even, generator()).tolist()) == list(range(12))
    assert even_weights(even).tolist() == [1.0] * 12


def test_weights_are_inverse_to_the_size_of_a_class_and_one_on_average():
    """17 images of 3 classes: 17 / (3 · 12), 17 / (3 · 3), 17 / (3 · 2)."""
    own = even_weights(UNEVEN)
    assert own[[0, 12, 15]].tolist() == pytest.approx([17 / 36, 17 / 9, 17 / 6])
    assert own.mean().item() == pytest.approx(1.0)
    assert torch.equal(even_weights(UNEVEN * 3), own), "whatever the labels"


def uneven():
    """The small material, of which green and blue have two training images and red has eight."""
    images, labels = coloured(24, 0)
    chosen = torch.tensor([*range(0, 24, 3), 1, 4, 2, 5])
    return replace(material(), train=(images[chosen], labels[chosen]))


def run_with(balance: str) -> RunSpec:
    recipe = Recipe(epochs=4, batch=4, balance=balance)
    return RunSpec("lora", {"rank": 2}, DataSpec(shots=8), recipe=recipe)


@pytest.mark.parametrize("balance", BALANCES)
def test_an_uneven_set_is_learned_in_as_many_steps(balance, tiny):
    events = list(train(run_with(balance), tiny, uneven()))
    losses = [event.loss for event in events if isinstance(event, Stepped)]
    assert len(losses) == 12 and isinstance(events[-1], Finished)
    assert events[-1].test_accuracy > 0.5, "a guess knows a third"


def test_balance_changes_what_is_learned_of_an_uneven_set(tiny):
    """The head starts at zero, so the first losses are the same but for the weights."""
    curves = {}
    for balance in BALANCES:
        events = train(run_with(balance), tiny, uneven())
        curves[balance] = [event.loss for event in events if isinstance(event, Stepped)]
    assert len({tuple(curve) for curve in curves.values()}) == 3


def test_the_default_is_in_no_spec_and_no_command():
    """Files, ids and states of runs without balance are those of before there was any."""
    plain = RunSpec()
    assert "balance" not in plain.to_json()["recipe"] and "--balance" not in plain.command()
    balanced = RunSpec(recipe=Recipe(balance="weights"))
    assert balanced.to_json()["recipe"]["balance"] == "weights"
    assert "--balance weights" in balanced.command()
    for run in (plain, balanced):
        assert RunSpec.from_json(run.to_json()) == run


def test_another_word_is_refused():
    with pytest.raises(BadValue, match="balance takes one of none, sampling, weights"):
        build(Recipe, {"balance": "some"})
