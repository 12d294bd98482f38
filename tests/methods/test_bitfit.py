import pytest
import torch
from small import by_decay

from peft_demo.adapters import attach, create
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.vit import Anatomy, anatomy_of
from peft_demo.vit.anatomy import timm_name
from peft_demo.vit.catalogue import Source

BITFIT = find_method("bitfit")


def test_it_replaces_every_bias_and_nothing_else(tiny):
    adapter = create(BITFIT, BITFIT.config(), tiny, 5, seed=0)
    biases = {
        timm_name(n) for n, _ in tiny.model.named_parameters() if n.rpartition(".")[2] == "bias"
    }
    assert set(adapter.replaced()) == biases
    assert {
        "patch_embed.proj.bias",
        "norm.bias",
        "blocks.0.norm1.bias",
        "blocks.1.attn.qkv.bias",
    } <= biases


def test_a_bias_moves_the_map_it_belongs_to_by_as_much(tiny):
    adapter = create(BITFIT, BITFIT.config(), tiny, 5, seed=0)
    moved = torch.randn(48, generator=torch.Generator().manual_seed(0))
    adapter.replaced()["patch_embed.proj.bias"].data += moved
    model = attach(tiny, adapter).eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(
            model.patch_embed(images), tiny.model.patch_embed(images) + moved, atol=1e-6
        )


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert BITFIT.count(vit_b, BITFIT.config()) == 102_912


def test_biases_take_no_weight_decay(tiny):
    adapter = create(BITFIT, BITFIT.config(), tiny, 5, seed=0)
    assert [p is adapter.head.weight for p in by_decay(adapter)[0]] == [True]


def test_a_backbone_without_biases_is_refused_by_name():
    bare = Anatomy("bare_vit", 8, 1, 1, (2, 2), 4, 8, sites={}, tensors={"norm.weight": (8,)})
    with pytest.raises(BadValue, match="bare_vit has no biases to train"):
        BITFIT.build(bare, BITFIT.config())
