import pytest
import timm
import torch
from small import STAGES, away, disturbed, images, new
from torch import nn
from torch.nn import functional as F

from peft_demo.adapters import attach, create, merge
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.lora import LoRA
from peft_demo.vit import Site, anatomy_of, wrap
from peft_demo.vit.catalogue import Source

SITE = Site("blocks.0.q", "q", "blocks.0.attn.map.qkv.q", 12, 10, 0)
LORA = find_method("lora")


def delta(**knobs):
    return LoRA(SITE, LORA.config({"rank": 3} | knobs)).double().eval()


def test_it_is_the_papers_formula():
    d = away(delta(scale=0.3))
    f = nn.Linear(12, 10).double()
    x = torch.randn(2, 7, 12).double()
    W = f.weight + 0.3 * d.up @ d.down
    assert torch.allclose(d(f, x), x @ W.T + f.bias, atol=1e-12)


@pytest.mark.parametrize(
    ("targets", "count"),
    [
        (("q", "v"), 294_912),
        (("q", "k", "v"), 442_368),
        (("q", "k", "v", "proj", "fc1", "fc2"), 1_327_104),
    ],
)
def test_counts_on_vit_b(targets, count):
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert LORA.count(vit_b, LORA.config({"targets": targets})) == count
    assert LORA.config().targets == ("q", "v") and LORA.config().rank == 8


def test_up_starts_at_zero_and_down_within_kaimings_bound():
    d = delta()
    assert not d.up.any() and 0 < d.down.abs().max() <= 12**-0.5


def test_the_first_gradient_goes_to_up_alone():
    d = delta()
    f = nn.Linear(12, 10).double()
    d(f, torch.randn(2, 7, 12).double()).sum().backward()
    assert d.up.grad.any() and not d.down.grad.any()


def test_dropout_acts_on_the_input_of_the_product_alone():
    d = away(delta(dropout=0.5))
    f = nn.Linear(12, 10).double()
    x = torch.randn(2, 7, 12).double()
    d.train()
    assert not torch.equal(d(f, x), d(f, x))
    d.up.data.zero_()
    assert torch.equal(d(f, x), f(x))


def test_it_stands_at_the_slices_it_is_told_to(tiny):
    adapter = create(LORA, LORA.config({"targets": ("k", "fc2")}), tiny, 5, seed=0)
    assert set(adapter.by_site()) == {f"blocks.{i}.{t}" for i in (0, 1) for t in ("k", "fc2")}


def test_a_rank_beyond_the_width_is_a_sentence():
    with pytest.raises(BadValue, match=r"rank 11 is larger than the width 10 of blocks\.0\.q"):
        delta(rank=11)


def test_an_unknown_target_is_a_sentence():
    with pytest.raises(
        BadValue, match=r"targets takes some of q, k, v, qkv, proj, fc1, fc2, patch, got \('qv',\)"
    ):
        LORA.config({"targets": ("qv",)})


def test_the_bias_of_b_is_scaled_with_the_product_and_counted():
    d = away(LoRA(SITE, LORA.config({"rank": 3, "scale": 0.3}), bias=True).double().eval())
    f = nn.Linear(12, 10).double()
    x = torch.randn(2, 7, 12).double()
    assert torch.allclose(d(f, x), f(x) + 0.3 * (x @ d.down.T @ d.up.T + d.bias), atol=1e-12)
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert LORA.count(vit_b, LORA.config({"bias": True})) == 294_912 + 2 * 12 * 768


@pytest.mark.parametrize("bias", [False, True])
def test_on_the_patch_embedding_it_moves_the_convolution(bias, tiny):
    adapter = disturbed(new("lora", tiny, targets=("patch",), rank=3, scale=0.5, bias=bias))
    (d,) = adapter.by_site().values()
    conv = tiny.model.patch_embed.proj
    moved = conv.weight + 0.5 * (d.up @ d.down).view(conv.weight.shape)
    shift = conv.bias + 0.5 * d.bias if bias else conv.bias
    tokens = F.conv2d(images(), moved, shift, conv.stride).flatten(2).transpose(1, 2)
    patches = attach(tiny, adapter).patch_embed
    assert torch.allclose(patches(images()), tokens, atol=1e-5)
    merged = merge(tiny, adapter).patch_embed
    assert torch.allclose(merged(images()), tokens, atol=1e-5)


def test_a_patch_embedding_with_a_norm_is_refused():
    swin = wrap(timm.create_model("swin_tiny_patch4_window7_224", num_classes=0, **STAGES), "swin")
    with pytest.raises(BadValue, match="a norm stands behind the patch embedding"):
        new("lora", swin, targets=("q", "patch"), rank=2)
