"""MoSLoRA: the paper's formula, its mixer's start, and LoRA as the mixer that is the identity."""

import pytest
import torch
from small import away, by_decay, inputs, linear, new

from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.lora import LoRA
from peft_demo.methods.moslora import MoSLoRA
from peft_demo.vit import Anatomy, Backbone, Site

MOSLORA = find_method("moslora")
SITE = Site("blocks.0.q", "q", "blocks.0.attn.map.qkv.q", 12, 10, 0)


def delta(**values: object) -> MoSLoRA:
    config = MOSLORA.config({"rank": 3, "scale": 0.7, **values})
    return MoSLoRA(SITE, config).double().eval()


@torch.no_grad()
def test_it_is_the_papers_formula():
    """The sum over all pairs of a column of B and a row of A, each with its weight."""
    d = away(delta())
    f = linear()
    x = inputs()
    W = f.weight.clone()
    for i in range(3):
        for j in range(3):
            W += 0.7 * d.mixer[i, j] * torch.outer(d.up[:, i], d.down[j])
    assert torch.allclose(d(f, x), x @ W.T + f.bias, atol=1e-12)


@torch.no_grad()
def test_with_the_identity_as_mixer_it_is_lora():
    d = away(delta())
    d.mixer.copy_(torch.eye(3))
    lora = LoRA(SITE, find_method("lora").config({"rank": 3, "scale": 0.7})).double()
    lora.load_state_dict({"down": d.down, "up": d.up})
    f = linear()
    x = inputs()
    assert torch.allclose(d(f, x), lora(f, x), atol=1e-12)


def test_counts_on_vit_b(vit_b: Anatomy):
    assert MOSLORA.count(vit_b, MOSLORA.config()) == 294_912 + 24 * 8 * 8 == 296_448
    assert MOSLORA.count(vit_b, MOSLORA.config({"targets": "fc1"})) == 12 * (8 * 3840 + 64)


def test_up_starts_at_zero_and_the_others_within_kaimings_bound():
    d = delta()
    assert not d.up.any()
    assert 0 < d.down.abs().max() <= 12**-0.5
    assert 0 < d.mixer.abs().max() <= 3**-0.5


def test_the_first_gradient_goes_to_up_alone():
    d = delta()
    d(linear(), inputs()).sum().backward()
    assert d.up.grad.any()
    assert not d.down.grad.any()
    assert not d.mixer.grad.any()


@torch.no_grad()
def test_dropout_acts_on_the_input_of_the_product_alone():
    d = away(delta(dropout=0.5)).train()
    f = linear()
    x = inputs()
    assert not torch.equal(d(f, x), d(f, x))
    d.up.zero_()
    assert torch.equal(d(f, x), f(x))


def test_it_stands_where_it_is_told_to_and_all_three_matrices_decay(tiny: Backbone):
    adapter = new("moslora", tiny, targets=("k", "fc2"))
    assert set(adapter.by_site()) == {f"blocks.{i}.{t}" for i in (0, 1) for t in ("k", "fc2")}
    decayed, _ = by_decay(adapter)
    assert {id(p) for d in adapter.by_site().values() for p in d.parameters()} <= {
        id(p) for p in decayed
    }


def test_a_rank_beyond_the_width_is_a_sentence():
    with pytest.raises(BadValue, match=r"rank 11 is larger than the width 10 of blocks\.0\.q"):
        delta(rank=11)
