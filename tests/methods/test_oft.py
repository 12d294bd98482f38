"""OFT: the paper's formula, peft's own layer, and what a rotation keeps."""

import pytest
import torch
from small import away, by_decay, inputs, linear, new
from torch import Tensor, nn

from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.oft import Rotation
from peft_demo.vit import Anatomy, Backbone, Site

OFT = find_method("oft")
SITE = Site("blocks.0.q", "q", "blocks.0.attn.map.qkv.q", 12, 10, 0)


def delta(blocks: int = 4) -> Rotation:
    return Rotation(SITE, OFT.config({"blocks": blocks})).double()


def dense(d: Rotation) -> Tensor:
    """R [D_in D_in], entry by entry and with an inverse, as the paper writes it."""
    n = d.size
    blocks = []
    for numbers in d.skew:
        Q = torch.zeros(n, n, dtype=torch.float64)
        places = [(i, j) for i in range(n) for j in range(i + 1, n)]
        for (i, j), number in zip(places, numbers, strict=True):
            Q[i, j] = number
            Q[j, i] = -number
        eye = torch.eye(n, dtype=torch.float64)
        blocks.append((eye + Q) @ torch.linalg.inv(eye - Q))
    return torch.block_diag(*blocks)


@torch.no_grad()
@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_it_is_the_papers_formula(blocks: int):
    d = away(delta(blocks))
    f = linear()
    x = inputs()
    neurons = torch.stack([dense(d) @ neuron for neuron in f.weight])
    assert torch.allclose(d(f, x), x @ neurons.T + f.bias, atol=1e-12)


@torch.no_grad()
def test_it_folds_and_keeps_the_neurons_lengths_and_angles():
    d = away(delta())
    f = linear()
    W, b = d.merged(f)
    assert torch.allclose(W, f.weight @ dense(d).T, atol=1e-12)
    assert torch.equal(b, f.bias)
    assert torch.allclose(W @ W.T, f.weight @ f.weight.T, atol=1e-12)
    assert not torch.allclose(W, f.weight, atol=0.1)


def test_outputs_and_gradients_are_those_of_peft():
    """peft has the inverse of the paper's R, which is the R of −Q."""
    peft = pytest.importorskip("peft")
    config = peft.OFTConfig(
        r=4, oft_block_size=0, target_modules=["0"], use_cayley_neumann=False, init_weights=True
    )
    layer = peft.get_peft_model(nn.Sequential(linear()), config).base_model.model[0].double()
    d = away(delta())
    theirs = layer.oft_R["default"].weight
    theirs.data = -d.skew.detach().clone()
    x = inputs()
    y = d(linear(), x)
    expected = layer(x)
    assert torch.allclose(y, expected, atol=1e-12)
    pull = torch.randn_like(y)
    (y * pull).sum().backward()
    (expected * pull).sum().backward()
    assert torch.allclose(d.skew.grad, -theirs.grad, atol=1e-12)


def test_counts_on_vit_b(vit_b: Anatomy):
    assert OFT.count(vit_b, OFT.config()) == 24 * 16 * 48 * 47 // 2 == 433_152
    assert OFT.count(vit_b, OFT.config({"blocks": 4})) == 24 * 4 * 192 * 191 // 2
    assert OFT.count(vit_b, OFT.config({"targets": "fc2", "blocks": 1})) == 12 * 3072 * 3071 // 2


@torch.no_grad()
def test_it_starts_as_the_frozen_map():
    d = delta()
    f = linear()
    x = inputs()
    assert not d.skew.any()
    assert torch.equal(d.rotation(), torch.eye(3).double().expand(4, 3, 3))
    assert torch.allclose(d(f, x), f(x), atol=1e-12)


def test_every_angle_learns_from_the_first_step():
    d = delta()
    d(linear(), inputs()).square().sum().backward()
    assert d.skew.grad.all()


def test_rotations_take_no_weight_decay(tiny: Backbone):
    adapter = new("oft", tiny, targets=("qkv", "fc2"))
    assert set(adapter.by_site()) == {f"blocks.{i}.{t}" for i in (0, 1) for t in ("qkv", "fc2")}
    decayed, _ = by_decay(adapter)
    assert len(decayed) == 1, "the head's matrix"


def test_half_precision_turns_at_full_precision(tiny: Backbone):
    """As on a GPU: bf16 activations stay bf16, and R is solved for in float32."""
    d = away(delta()).float()
    f = linear().float()
    x = inputs().float()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        y = d(f, x)
        assert d.rotation().dtype == torch.float32
    expected = d(f, x)
    assert y.dtype == torch.bfloat16
    assert (y - expected).abs().max() <= 0.03 * expected.abs().max()


def test_a_width_that_the_blocks_do_not_divide_is_a_sentence():
    with pytest.raises(
        BadValue, match=r"the width 12 of blocks\.0\.q cannot be cut into 8 blocks\. Take fewer"
    ):
        delta(8)
