"""Adapter+: the paper's formula after a whole block, its start, and drop path."""

from math import erf, sqrt

import pytest
import torch
from small import away, by_decay, new
from torch import Tensor, nn

from peft_demo.adapters import attach
from peft_demo.methods import find_method
from peft_demo.methods.adapter_plus import PostAdapter
from peft_demo.vit import Anatomy, Backbone, Site

ADAPTER_PLUS = find_method("adapter_plus")
SITE = Site("blocks.0", "block", "blocks.0", 12, 12, 0)


def delta(**values: object) -> PostAdapter:
    config = ADAPTER_PLUS.config({"hidden": 5, **values})
    return PostAdapter(SITE, config).double().eval()


def gelu(z: Tensor) -> Tensor:
    return z * z.clone().apply_(lambda t: (1 + erf(t / sqrt(2))) / 2)


def block() -> nn.Linear:
    """Stands for a block of the backbone."""
    return nn.Linear(12, 12, dtype=torch.float64)


def bottleneck(d: PostAdapter, y: Tensor) -> Tensor:
    z = gelu(y @ d.down.T + d.down_bias)
    return d.scale * (z @ d.up.T + d.up_bias)


@torch.no_grad()
def test_it_is_the_papers_formula():
    d = away(delta())
    f = block()
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    y = f(x)
    assert torch.allclose(d(f, x), y + bottleneck(d, y), atol=1e-12)


@torch.no_grad()
def test_a_layer_norm_stands_before_the_bottleneck_where_it_is_asked_for():
    d = away(delta(norm=True))
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    centred = x - x.mean(dim=-1, keepdim=True)
    norm = centred / (centred.square().mean(dim=-1, keepdim=True) + 1e-6).sqrt()
    normed = d.norm.weight * norm + d.norm.bias
    assert torch.allclose(d(nn.Identity(), x), x + bottleneck(d, normed), atol=1e-12)


@torch.no_grad()
def test_it_stands_after_both_branches_and_their_skips(tiny: Backbone):
    adapter = new("adapter_plus", tiny).double().eval()
    assert set(adapter.by_site()) == {"blocks.0", "blocks.1"}
    d = away(adapter.by_site()["blocks.1"])
    x = torch.randn(2, 17, 48)
    frozen = tiny.model.blocks[1]
    h = x + frozen.attn(x)
    y = h + frozen.mlp(h)
    adapted = attach(tiny, adapter.float()).eval().blocks[1](x)
    assert torch.allclose(adapted, y + bottleneck(d.float(), y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "count"),
    [({}, 165_984), ({"hidden": 1}, 36_876), ({"norm": True}, 165_984 + 12 * 2 * 768)],
)
def test_counts_on_vit_b(values: dict, count: int, vit_b: Anatomy):
    assert ADAPTER_PLUS.count(vit_b, ADAPTER_PLUS.config(values)) == count
    assert ADAPTER_PLUS.config().hidden == 8


def test_it_starts_as_houlsbys_small_numbers_with_scales_of_one():
    d = delta(hidden=200)
    for matrix in (d.down, d.up):
        assert 0.018 < matrix.abs().max() <= 0.02
        assert 0.008 < matrix.std() < 0.0095, "0.88 of the deviation is left by the cut at two"
    assert not d.down_bias.any() and not d.up_bias.any()
    assert torch.equal(d.scale, torch.ones(12).double())


@torch.no_grad()
def test_drop_path_leaves_it_out_for_whole_images_and_scales_the_others():
    torch.manual_seed(0)
    d = away(delta(drop_path=0.5)).train()
    x = torch.randn(40, 3, 12, dtype=torch.float64)
    added = d(nn.Identity(), x) - x
    kept = added.flatten(1).any(dim=1)
    assert 10 < kept.sum() < 30
    assert torch.allclose(added[kept], 2 * bottleneck(d, x[kept]), atol=1e-12)


def test_matrices_decay_and_the_scale_does_not(tiny: Backbone):
    adapter = new("adapter_plus", tiny)
    decayed, free = by_decay(adapter)
    deltas = adapter.by_site().values()
    assert {id(d.down) for d in deltas} | {id(d.up) for d in deltas} <= {id(p) for p in decayed}
    assert {id(d.scale) for d in deltas} <= {id(p) for p in free}
