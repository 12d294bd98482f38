"""DoRA: the paper's formula, peft's own layer, and the start from the frozen weights."""

import pytest
import torch
from small import by_decay, disturbed, images, inputs, new
from torch import Tensor, nn

from peft_demo.adapters import attach, merge
from peft_demo.methods import find_method
from peft_demo.methods.dora import DoRA
from peft_demo.vit import Backbone, Site, anatomy_of
from peft_demo.vit.catalogue import Source

DORA = find_method("dora")
SITE = Site("blocks.0.q", "q", "blocks.0.attn.map.qkv.q", 12, 10, 0)


def delta(**values: object) -> DoRA:
    config = DORA.config({"rank": 3, "scale": 0.7, **values})
    return DoRA(SITE, config).double().eval()


def away(delta: DoRA) -> DoRA:
    """The delta somewhere away from its start; magnitudes are positive."""
    torch.manual_seed(0)
    for parameter in delta.parameters():
        parameter.data = torch.randn_like(parameter)
    delta.magnitude.data.abs_()
    return delta


def linear(bias: bool = True) -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(12, 10, bias=bias, dtype=torch.float64)


def dense(d: DoRA, W: Tensor) -> Tensor:
    """W' [D_out D_in] as the paper writes it, one row after the other."""
    V = W + 0.7 * d.up @ d.down
    rows = [m * row / (row**2).sum().sqrt() for m, row in zip(d.magnitude, V, strict=True)]
    return torch.stack(rows)


@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_papers_formula(bias: bool):
    d = away(delta())
    f = linear(bias)
    x = inputs()
    b = f.bias if bias else 0.0
    assert torch.allclose(d(f, x), x @ dense(d, f.weight).T + b, atol=1e-12)


@torch.no_grad()
def test_it_folds_by_the_papers_closed_form():
    d = away(delta())
    f = linear()
    W, b = d.merged(f)
    assert torch.allclose(W, dense(d, f.weight), atol=1e-12)
    assert torch.equal(b, f.bias)


def new_peft_layer() -> nn.Module:
    """peft's DoRA of rank 3 around the same linear."""
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=3, lora_alpha=0.7 * 3, target_modules=["0"], use_dora=True)
    return peft.get_peft_model(nn.Sequential(linear()), config).base_model.model[0]


def peft_layer(d: DoRA) -> nn.Module:
    """peft's DoRA around the same linear, with the same parameters."""
    layer = new_peft_layer()
    layer.lora_A["default"].weight.data = d.down.detach().clone()
    layer.lora_B["default"].weight.data = d.up.detach().clone()
    layer.lora_magnitude_vector["default"].weight.data = d.magnitude.detach().clone()
    return layer.double().eval()


def test_outputs_and_gradients_are_those_of_peft():
    d = away(delta())
    f = linear()
    x = inputs()
    layer = peft_layer(d)
    expected = layer(x)
    y = d(f, x)
    assert torch.allclose(y, expected, atol=1e-12)
    pull = torch.randn_like(y)
    (y * pull).sum().backward()
    (expected * pull).sum().backward()
    theirs = layer.lora_magnitude_vector["default"].weight
    assert torch.allclose(d.magnitude.grad, theirs.grad, atol=1e-12)
    assert torch.allclose(d.up.grad, layer.lora_B["default"].weight.grad, atol=1e-12)
    assert torch.allclose(d.down.grad, layer.lora_A["default"].weight.grad, atol=1e-12)


def test_magnitudes_start_from_the_norms_of_pefts_layer():
    d = delta()
    f = linear()
    with torch.no_grad():
        d.begin(f)
    theirs = new_peft_layer().lora_magnitude_vector["default"].weight
    assert torch.allclose(d.magnitude, theirs.double(), atol=1e-6)


def test_every_magnitude_starts_from_its_own_frozen_row(tiny: Backbone):
    adapter = new("dora", tiny)
    qkv = tiny.model.state_dict()["blocks.1.attn.map.qkv.weight"]
    norms = qkv.pow(2).sum(dim=1).sqrt()
    assert torch.allclose(adapter.by_site()["blocks.1.q"].magnitude, norms[:48])
    assert torch.allclose(adapter.by_site()["blocks.1.v"].magnitude, norms[96:])


@torch.no_grad()
def test_it_starts_as_the_frozen_map():
    d = delta()
    f = linear()
    x = inputs()
    d.begin(f)
    assert not d.up.any()
    assert torch.allclose(d(f, x), f(x), atol=1e-12)


def test_magnitude_and_up_learn_first():
    d = delta()
    f = linear()
    with torch.no_grad():
        d.begin(f)
    d(f, inputs()).sum().backward()
    assert d.magnitude.grad.all()
    assert d.up.grad.any()
    assert not d.down.grad.any()


@torch.no_grad()
def test_a_row_of_zeros_gives_its_bias():
    d = delta()
    f = linear()
    f.weight[4] = 0.0
    d.begin(f)
    y = d(f, inputs())
    assert torch.allclose(y[..., 4], f.bias[4])


@torch.no_grad()
def test_dropout_acts_on_the_input_of_the_product_alone():
    d = away(delta(dropout=0.5))
    f = linear()
    x = inputs()
    d.train()
    assert not torch.equal(d(f, x), d(f, x))
    d.up.zero_()
    assert torch.equal(d(f, x), d(f, x))


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert DORA.count(vit_b, DORA.config()) == 294_912 + 24 * 768 == 313_344
    assert DORA.count(vit_b, DORA.config({"targets": "fc1"})) == 12 * (8 * 3840 + 3072)


def test_magnitudes_take_no_weight_decay(tiny: Backbone):
    adapter = new("dora", tiny)
    decayed, free = by_decay(adapter)
    assert {p.ndim for p in decayed} == {2}
    assert {id(d.magnitude) for d in adapter.by_site().values()} <= {id(p) for p in free}


@pytest.mark.parametrize("targets", ["k,proj", "q,k,v", "fc1,fc2"])
def test_it_merges_at_every_target(targets: str, tiny: Backbone):
    adapter = disturbed(new("dora", tiny, targets=targets.split(",")))
    with torch.no_grad():
        attached = attach(tiny, adapter).eval()(images())
        merged = merge(tiny, adapter).eval()(images())
    assert (attached - merged).abs().max() <= 1e-5 * attached.abs().max()


def test_half_precision_keeps_the_start(tiny: Backbone):
    """As on a GPU: bf16 activations stay bf16, and a new adapter answers as the frozen model."""
    delta = new("dora", tiny).by_site()["blocks.0.q"]
    f = nn.Linear(48, 48)
    x = torch.randn(2, 7, 48)
    with torch.no_grad():
        delta.begin(f)
    with torch.autocast("cpu", torch.bfloat16):
        y = delta(f, x)
        expected = f(x)
    assert y.dtype == expected.dtype == torch.bfloat16
    assert (y - expected).abs().max() <= 0.02 * expected.abs().max()
