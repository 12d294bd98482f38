"""One-bit adapters: codebook, quantiser, straight-through gradient, and the papers' formula written
out densely."""

from itertools import pairwise
from math import sqrt
from statistics import NormalDist

import pytest
import torch
from small import new
from torch import nn

from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.bi import BiAdaptFormer, BiHead, BiLoRA, effective
from peft_demo.methods.bi.levels import Levels, codebook, quantised
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

BITS = (1, 2, 4, 8)
each_bits = pytest.mark.parametrize("bits", BITS)
normal = NormalDist()


def nearest(z, bits):
    """Q by comparing with every level."""
    levels = torch.tensor(codebook(bits), dtype=z.dtype)
    return levels[(z[..., None] - levels).abs().argmin(-1)]


def dense(W, bits):
    """Ŵ as the paper writes it."""
    n = W.numel()
    mean = W.sum() / n
    std = ((W - mean) ** 2).sum().div(n - 1).sqrt()
    return nearest((W - mean) / (std + 1e-5), bits) * std + mean


@each_bits
@pytest.mark.parametrize("start", [torch.nn.init.normal_, torch.nn.init.uniform_])
def test_what_training_goes_on_from_is_quantised_to_what_was_quantised_before(bits, start):
    torch.manual_seed(bits)
    W = 3 + 0.02 * start(torch.empty(40, 30))
    codec = Levels(bits)
    once = codec.quantise(W)
    latent = codec.latent(once)
    assert torch.allclose(codec.quantise(latent), once, rtol=0, atol=1e-5)
    if bits == 1:
        assert not torch.allclose(codec.quantise(once), once, rtol=0, atol=1e-3)


def test_a_constant_matrix_goes_on_as_it_is():
    W = torch.full((4, 3), 0.5)
    assert torch.equal(Levels(1).latent(W), W)


def random(*shape, seed=0):
    return (
        torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        * 0.1
        + 0.03
    )


def test_the_codebook_is_the_paper_s():
    positive = {b: [round(v, 4) for v in codebook(b)[2 ** (b - 1) :]] for b in (1, 2, 4)}
    assert positive[1] == [0.6745]
    assert positive[2] == [0.3778, 1.2657]
    assert positive[4] == [0.1056, 0.3190, 0.5401, 0.7752, 1.0340, 1.3331, 1.7077, 2.2655]


@each_bits
def test_every_level_is_the_median_of_its_cell(bits):
    levels = codebook(bits)
    assert len(levels) == 2**bits and list(levels) == sorted(-v for v in levels)
    edges = [0.0, *(normal.cdf((a + b) / 2) for a, b in pairwise(levels)), 1.0]
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    assert all(abs(normal.cdf(v) - m) < 5e-5 for v, m in zip(levels, middles, strict=True))


def test_the_mean_error_of_the_codebooks_is_the_paper_s():
    z = torch.tensor([normal.inv_cdf((i + 0.5) / 20000) for i in range(20000)], dtype=torch.float64)
    errors = [(quantised(z, b) - z).abs().mean().item() for b in (1, 2, 4)]
    assert errors == pytest.approx([0.473, 0.266, 0.0747], abs=6e-4)
    assert (quantised(z, 8) - z).abs().mean() < 0.0223


@each_bits
def test_the_quantiser_is_the_dense_formula(bits):
    W = random(7, 11)
    assert torch.allclose(quantised(W, bits), dense(W, bits), atol=1e-14, rtol=0)
    assert len(quantised(W, bits).unique()) <= 2**bits


def test_the_forward_value_is_exactly_a_level_in_float32():
    """Not `z + (Q - z)`, whose rounding leaves a swarm of values around each level and cannot be
    packed."""
    assert len(quantised(torch.randn(64, 64), 1).unique()) == 2


def test_without_a_codec_nothing_is_quantised():
    W = random(3, 3)
    assert effective(W, None) is W


@each_bits
def test_the_gradient_is_the_closed_form_of_straight_through(bits):
    """G=∂L/∂Ŵ: ∂L/∂W = a(G − mean G) + mean G + <G, Q − a z>/(n−1) · u, u=(W−μ)/σ, a=σ/(σ+ε),
    z=a·u."""
    W = random(6, 9).requires_grad_()
    G = random(6, 9, seed=1)
    (grad,) = torch.autograd.grad(quantised(W, bits), W, G)
    with torch.no_grad():
        sigma = W.std()
        u = (W - W.mean()) / sigma
        a = sigma / (sigma + 1e-5)
        pull = (G * (nearest(a * u, bits) - a * a * u)).sum() / (W.numel() - 1)
        expected = a * (G - G.mean()) + G.mean() + pull * u
    assert torch.allclose(grad, expected, atol=1e-14, rtol=0)


@each_bits
@pytest.mark.parametrize("form", [BiLoRA, BiAdaptFormer])
def test_the_delta_is_the_papers_formula(form, bits):
    name = "bi_lora" if form is BiLoRA else "bi_adaptformer"
    config = find_method(name).config({"hidden": 4, "bits": bits, "scale": 10.0})
    delta = form(Site("q", "q", "q", 6, 6), config).double().eval()
    delta.down.data = random(4, 6)
    delta.up.data = random(6, 4, seed=1)
    f = nn.Linear(6, 6).double()
    x = random(2, 3, 6, seed=2)
    z = x @ dense(delta.down.detach(), bits).T
    z = z if form is BiLoRA else z.clamp(min=0)
    expected = x @ f.weight.T + f.bias + 10.0 * z @ dense(delta.up.detach(), bits).T
    assert torch.allclose(delta(f, x), expected, atol=1e-12, rtol=0)


def test_dropout_stands_inside_the_bottleneck():
    config = find_method("bi_lora").config({"hidden": 64, "dropout": 0.5})
    delta = BiLoRA(Site("q", "q", "q", 6, 6), config).train()
    f = nn.Linear(6, 6)
    x = torch.randn(1, 1, 6)
    assert not torch.equal(delta(f, x), delta(f, x))
    delta.eval()
    assert torch.equal(delta(f, x), delta(f, x))


def test_the_one_bit_head_has_two_weights_and_no_bias():
    head = BiHead(48, 5).double()
    x = random(3, 48)
    assert head.bias is None
    assert torch.allclose(head(x), x @ dense(head.weight.detach(), 1).T, atol=1e-14)
    assert head.weight.abs().max() <= 1 / sqrt(48) and head.weight.std() > 0


@pytest.mark.parametrize("head_bits", [32, 1])
def test_head_bits_choose_the_head(head_bits, tiny):
    adapter = new("bi_adaptformer", tiny, head_bits=head_bits)
    assert adapter.head_parameters == 5 * 48 + (5 if head_bits == 32 else 0)
    assert isinstance(adapter.head, BiHead) == (head_bits == 1)
    assert adapter.head.weight.abs().max() == 0 or head_bits == 1


@pytest.mark.parametrize(
    ("name", "knobs", "expected"),
    [
        ("bi_lora", {}, 1_179_648),
        ("bi_adaptformer", {}, 589_824),
        ("bi_lora", {"hidden": 1}, 36_864),
        ("bi_adaptformer", {"hidden": 1}, 18_432),
    ],
)
def test_counts_on_vit_b(name, knobs, expected):
    method = find_method(name)
    assert (
        method.count(anatomy_of(Source("b", "b", "vit_base_patch16_224")), method.config(knobs))
        == expected
    )


@pytest.mark.parametrize("name", ["bi_lora", "bi_adaptformer"])
def test_nothing_starts_constant_and_up_starts_small(name, tiny):
    for delta in new(name, tiny).by_site().values():
        assert delta.down.abs().max() <= 1 / sqrt(48) and delta.down.std().item() == pytest.approx(
            1 / sqrt(144), rel=0.1
        )
        assert delta.up.abs().max() <= 2e-3 and delta.up.std().item() == pytest.approx(
            0.88e-3, rel=0.1
        )
        assert delta.matrices == ("down", "up")


def test_a_weight_on_the_threshold_takes_a_level():
    W = torch.tensor([[-1.0, 0.0, 1.0]])
    assert quantised(W, 1).flatten().tolist() == pytest.approx([-0.67449, -0.67449, 0.67449])


@pytest.mark.parametrize("value", [0, 3, 16, 32])
def test_other_bits_are_refused_with_the_choices(value):
    with pytest.raises(BadValue, match="one of 1, 2, 4, 8"):
        find_method("bi_lora").config({"bits": value})
    with pytest.raises(BadValue, match="one of 32, 1"):
        find_method("bi_lora").config({"head_bits": 2})
