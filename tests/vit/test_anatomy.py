"""Blocks rebuilt bit-equal to timm's, sites named, silent sites and other classes refused."""

import pytest
import timm
import torch
from small import random_vit

from peft_demo.contracts.errors import BadBackbone, BadValue
from peft_demo.vit.anatomy import expose, inspect_anatomy, timm_name, tree_name
from peft_demo.vit.sites import linear_at

SMALL = {
    "img_size": 32,
    "patch_size": 8,
    "embed_dim": 48,
    "depth": 2,
    "num_heads": 3,
    "num_classes": 0,
}
VARIANTS = {
    "plain": {},
    "registers": {"reg_tokens": 4, "init_values": 0.1},
    "no class token": {"class_token": False, "global_pool": "avg"},
    "attention pooling": {"class_token": False, "global_pool": "map"},
    "CLIP": {"pre_norm": True, "no_embed_class": True},
    "any image size": {"dynamic_img_size": True},
    "q and k norms": {"qk_norm": True, "qkv_bias": False},
}


@pytest.mark.parametrize("kwargs", VARIANTS.values(), ids=VARIANTS)
def test_an_exposed_model_is_bit_equal_to_timms(kwargs):
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", **SMALL | kwargs).eval()
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(expose(model)(x), model(x))


@pytest.mark.parametrize("kwargs", VARIANTS.values(), ids=VARIANTS)
def test_every_tensor_has_timms_name_and_back(kwargs):
    model = timm.create_model("vit_tiny_patch16_224", **SMALL | kwargs)
    tree = expose(model)
    anatomy = inspect_anatomy(tree, "small")
    assert not anatomy.silent
    assert set(anatomy.tensors) == dict(model.named_parameters()).keys()
    assert {tree_name(name) for name in anatomy.tensors} == dict(tree.named_parameters()).keys()
    assert all(timm_name(tree_name(name)) == name for name in anatomy.tensors)


@pytest.mark.parametrize(
    ("arch", "parameters", "prefix"),
    [
        ("vit_base_patch16_224", 85_798_656, 1),
        ("vit_small_patch14_reg4_dinov2", 22_057_344, 5),
        ("vit_base_patch16_siglip_224", 92_884_224, 0),
        ("vit_base_patch16_clip_224", 85_799_424, 1),
        ("deit3_small_patch16_224", 21_674_496, 1),
    ],
)
def test_real_architectures_are_inspected_without_weights(arch, parameters, prefix):
    with torch.device("meta"):
        anatomy = inspect_anatomy(expose(timm.create_model(arch, num_classes=0)), arch)
    assert (anatomy.parameters, anatomy.prefix, anatomy.silent) == (parameters, prefix, {})
    assert len(anatomy.at("q", "v")) == 2 * anatomy.depth


@pytest.mark.parametrize("arch", ["resnet18", "beit_base_patch16_224", "eva02_tiny_patch14_224"])
def test_other_classes_are_refused_by_name(arch):
    with torch.device("meta"):
        model = timm.create_model(arch, num_classes=0)
    with pytest.raises(BadBackbone):
        expose(model)


def test_a_site_that_never_fires_is_silent_and_refused_with_the_reason():
    """As timm's EVA does: the attention reads qkv's weight and never calls the module."""
    tree = random_vit().model
    attention = tree.get_submodule("blocks.0.attn.map")
    qkv = linear_at(tree, "blocks.0.attn.map.qkv")
    attention.forward = lambda x: torch.nn.functional.linear(x, qkv.weight[: x.shape[-1]])
    anatomy = inspect_anatomy(tree, "bypass")
    assert {"blocks.0.qkv", "blocks.0.q", "blocks.0.proj"} <= set(anatomy.silent)
    assert "never calls" in anatomy.silent["blocks.0.qkv"]


def test_a_role_that_is_not_there_is_a_sentence(tiny):
    with pytest.raises(BadValue, match="no 'gate' site"):
        tiny.anatomy.at("q", "gate")
