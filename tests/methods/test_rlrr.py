from math import sqrt

import pytest
import torch
from small import by_decay, images
from torch import nn

from peft_demo.adapters import attach, create
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.rlrr import Rescaled
from peft_demo.methods.ssf import ScaleShift
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

RLRR = find_method("rlrr")
SITE = Site("blocks.0.fc1", "fc1", "blocks.0.mlp.map.fc1", 6, 10, 0)


def away(delta):
    torch.manual_seed(0)
    for p in delta.parameters():
        p.data = torch.randn_like(p)
    return delta.double()


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_papers_formula(bias):
    d = away(Rescaled(SITE, "random"))
    f = nn.Linear(6, 10, bias=bias).double()
    X = torch.randn(7, 6, dtype=torch.float64)
    W = f.weight.T
    b = f.bias if bias else 0
    s_left = d.s_in.reshape(6, 1)
    s_right = d.s_out.reshape(1, 10)
    with torch.no_grad():
        dense = X @ (W + s_left * W * s_right) + b + d.shift
        assert torch.allclose(d(f, X), dense, atol=1e-12)


def test_its_gradients_are_the_closed_form():
    d = away(Rescaled(SITE, "random"))
    f = nn.Linear(6, 10).double()
    X = torch.randn(7, 6, dtype=torch.float64)
    out = d(f, X)
    G = torch.randn_like(out)
    (out * G).sum().backward()
    with torch.no_grad():
        along = (G.T @ X) * f.weight
        assert torch.allclose(d.s_out.grad, along @ d.s_in.T, atol=1e-12)
        assert torch.allclose(d.s_in.grad, d.s_out.T @ along, atol=1e-12)
        assert torch.allclose(d.shift.grad, G.sum(0), atol=1e-12)


def test_its_gradients_are_those_of_the_formula():
    d = away(Rescaled(SITE, "random"))
    f = nn.Linear(6, 10).double().requires_grad_(False)
    x = torch.randn(2, 7, 6, dtype=torch.float64, requires_grad=True)
    dy = torch.randn(2, 7, 10, dtype=torch.float64)
    W = f.weight * (1 + d.s_out * d.s_in)
    learned = (x, d.s_in, d.s_out, d.shift)
    expected = torch.autograd.grad(x @ W.T + f.bias + d.shift, learned, dy)
    for gradient, wanted in zip(torch.autograd.grad(d(f, x), learned, dy), expected, strict=True):
        assert torch.allclose(gradient, wanted, atol=1e-10, rtol=0)


def test_in_bf16_its_gradients_are_near():
    d = Rescaled(SITE, "random")
    f = nn.Linear(6, 10).requires_grad_(False)
    x = torch.randn(2, 7, 6, requires_grad=True)
    learned = (x, d.s_in, d.s_out, d.shift)
    expected = torch.autograd.grad(d(f, x).square().sum(), learned)
    with torch.autocast("cpu", torch.bfloat16):
        y = d(f, x.bfloat16())
    assert y.dtype == torch.bfloat16
    gradients = torch.autograd.grad(y.float().square().sum(), learned)
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - wanted).norm() <= 0.02 * wanted.norm()


def test_a_step_keeps_nothing_of_the_size_of_a_weight_but_the_weight():
    kept = []

    def keep(tensor):
        kept.append(tensor)
        return tensor

    d = Rescaled(SITE, "random")
    f = nn.Linear(6, 10).requires_grad_(False)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        d(f, torch.randn(2, 6))
    assert {t.data_ptr() for t in kept if t.numel() >= 6 * 10} == {f.weight.data_ptr()}


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert RLRR.count(vit_b, RLRR.config()) == 288_768
    assert RLRR.count(vit_b, RLRR.config({"targets": "q,k,v,proj,fc1,fc2"})) == 248_832


def test_linears_are_rescaled_and_norms_and_patches_take_ssf(tiny):
    kinds = {
        name: type(d) for name, d in create(RLRR, RLRR.config(), tiny, 5, seed=0).by_site().items()
    }
    assert {n for n, k in kinds.items() if k is ScaleShift} == {"patch", "norm"} | {
        f"blocks.{i}.norm{j}" for i in (0, 1) for j in (1, 2)
    }
    assert sum(k is Rescaled for k in kinds.values()) == 2 * 6


def test_both_scales_start_at_kaimings_bound_in_their_own_shape():
    torch.manual_seed(0)
    d = Rescaled(Site("a", "q", "a", 768, 768), "random")
    assert d.s_in.shape == (1, 768) and d.s_out.shape == (768, 1) and not d.shift.any()
    assert 0.95 * sqrt(6 / 768) < d.s_in.abs().max() <= sqrt(6 / 768)
    assert 0.95 * sqrt(6) < d.s_out.abs().max() <= sqrt(6)
    assert abs((d.s_out @ d.s_in).std() - 0.0713) < 0.005


def test_the_zero_start_is_the_frozen_model_and_not_dead(tiny):
    adapter = create(RLRR, RLRR.config({"start": "zero"}), tiny, 5, seed=0).eval()
    with torch.no_grad():
        assert torch.equal(
            attach(tiny, adapter).forward_features(images()), tiny.model.forward_features(images())
        )
    d = adapter.by_site()["blocks.0.q"]
    d(nn.Linear(48, 48), torch.randn(7, 48)).sum().backward()
    assert d.s_out.grad.all(), "s_in is away from zero, so s_out learns at once and s_in after it"
    assert RLRR.identity(adapter.config) and not RLRR.identity(RLRR.config())


def test_the_frozen_map_is_read_and_never_called():
    class Silent(nn.Linear):
        def forward(self, x):
            raise AssertionError("called")

    Rescaled(SITE, "random")(Silent(6, 10), torch.randn(7, 6))


def test_scales_take_no_weight_decay_though_they_are_stored_in_two_dimensions(tiny):
    adapter = create(RLRR, RLRR.config(), tiny, 5, seed=0)
    assert [p is adapter.head.weight for p in by_decay(adapter)[0]] == [True]


def test_bad_input_gets_a_sentence():
    with pytest.raises(BadValue, match="targets takes some of patch, norm1, q"):
        RLRR.config({"targets": ("qkv",)})
    with pytest.raises(BadValue, match="start takes one of random, zero"):
        RLRR.config({"start": "both zero"})
