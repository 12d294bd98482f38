"""VeRA: the paper's formula, peft's own layer, and the one frozen pair of all sites."""

from math import sqrt

import pytest
import torch
from small import away, by_decay, inputs, linear, new
from torch import nn

from peft_demo.methods import find_method
from peft_demo.methods.vera import Pair, VeRA
from peft_demo.vit import Anatomy, Backbone, Site

VERA = find_method("vera")
NARROW = Site("blocks.0.q", "q", "blocks.0.attn.map.qkv.q", 12, 10, 0)
WIDE = Site("blocks.0.fc1", "fc1", "blocks.0.mlp.map.fc1", 16, 40, 0)


def delta(site: Site = NARROW, **values: object) -> VeRA:
    """The delta at `site` of an adapter whose sites are of two widths."""
    config = VERA.config({"rank": 5, **values})
    return VeRA(site, config, Pair([NARROW, WIDE], config)).double()


@torch.no_grad()
def test_it_is_the_papers_formula():
    d = away(delta())
    f = linear()
    x = inputs()
    A = d.pair.A[:, :12]
    B = d.pair.B[:10]
    W = f.weight + torch.diag(d.b) @ B @ torch.diag(d.d) @ A
    assert torch.allclose(d(f, x), x @ W.T + f.bias, atol=1e-12)


def test_outputs_and_gradients_are_those_of_peft():
    peft = pytest.importorskip("peft")
    config = peft.VeraConfig(r=5, target_modules=["0"])
    layer = peft.get_peft_model(nn.Sequential(linear()), config).base_model.model[0].double()
    d = away(delta())
    with torch.no_grad():
        layer.vera_A["default"].copy_(d.A)
        layer.vera_B["default"].copy_(d.B)
        layer.vera_lambda_d["default"].copy_(d.d)
        layer.vera_lambda_b["default"].copy_(d.b)
    x = inputs()
    y = d(linear(), x)
    expected = layer(x)
    assert torch.allclose(y, expected, atol=1e-12)
    pull = torch.randn_like(y)
    (y * pull).sum().backward()
    (expected * pull).sum().backward()
    assert torch.allclose(d.d.grad, layer.vera_lambda_d["default"].grad, atol=1e-12)
    assert torch.allclose(d.b.grad, layer.vera_lambda_b["default"].grad, atol=1e-12)


def test_counts_on_vit_b(vit_b: Anatomy):
    assert VERA.count(vit_b, VERA.config()) == 24 * (256 + 768) == 24_576, "the paper's 24.6 K"
    assert VERA.count(vit_b, VERA.config({"targets": "fc1", "rank": 8})) == 12 * (8 + 3072)


def test_a_narrow_site_takes_the_first_columns_and_rows_of_the_pair():
    d = delta()
    assert d.pair.A.shape == (5, 16) and d.pair.B.shape == (40, 5)
    assert torch.equal(d.A, d.pair.A[:, :12]) and torch.equal(d.B, d.pair.B[:10])
    wide = delta(WIDE)
    assert torch.equal(wide.A, d.pair.A) and torch.equal(wide.B, d.pair.B)


def test_the_pair_stands_in_memory_once_also_after_a_move(tiny: Backbone):
    adapter = new("vera", tiny, targets=("q", "v", "fc1", "fc2")).double()
    pairs = {id(delta.pair) for delta in adapter.by_site().values()}
    tensors = {delta.A.data_ptr() for delta in adapter.by_site().values()}
    assert len(adapter.by_site()) == 8
    assert len(pairs) == len(tensors) == 1


def test_another_seed_gives_another_pair_and_no_matrix_twice():
    pairs = [delta(projection_seed=seed).pair for seed in range(3)]
    numbers = [t.flatten()[:40] / t.abs().max() for pair in pairs for t in (pair.A, pair.B)]
    same = [torch.allclose(p, q, atol=0.1) for i, p in enumerate(numbers) for q in numbers[:i]]
    assert not any(same)


def test_the_pair_is_kaiming_uniform_d_starts_at_a_tenth_and_b_at_zero():
    d = delta(WIDE, rank=64)
    for matrix, fan_in in ((d.pair.A, 16), (d.pair.B, 64)):
        bound = sqrt(6 / fan_in)
        assert 0.95 * bound < matrix.abs().max() <= bound
        assert abs(matrix.std() - bound / sqrt(3)) < 0.03 * bound
    assert torch.equal(d.d, torch.full((64,), 0.1).double())
    assert not d.b.any()


def test_the_first_gradient_goes_to_b_alone():
    d = delta()
    d(linear(), inputs()).sum().backward()
    assert d.b.grad.any()
    assert not d.d.grad.any()


def test_vectors_take_no_weight_decay(tiny: Backbone):
    adapter = new("vera", tiny)
    decayed, free = by_decay(adapter)
    assert len(decayed) == 1, "the head's matrix"
    assert len(free) == 1 + 2 * len(adapter.by_site())
