import pytest
from small import by_decay, random_vit

from peft_demo.adapters import create
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.vit import Anatomy, anatomy_of
from peft_demo.vit.catalogue import Source

LN = find_method("ln")


def replaced(backbone):
    return create(LN, LN.config(), backbone, 5, seed=0).replaced()


def test_it_replaces_both_tensors_of_every_layer_norm_and_nothing_else():
    from torch import nn

    from peft_demo.vit.anatomy import timm_name

    backbone = random_vit(qk_norm=True, pre_norm=True)
    norms = [n for n, m in backbone.model.named_modules() if isinstance(m, nn.LayerNorm)]
    assert set(replaced(backbone)) == {
        timm_name(f"{n}.{leaf}") for n in norms for leaf in ("weight", "bias")
    }
    assert {"norm_pre.bias", "blocks.1.attn.q_norm.weight"} <= set(replaced(backbone))


def test_it_takes_the_norm_before_the_head_too():
    assert "fc_norm.weight" in replaced(random_vit(global_pool="avg", fc_norm=True))


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert LN.count(vit_b, LN.config()) == 38_400


def test_it_starts_from_the_frozen_values(tiny):
    state = tiny.model.state_dict()
    assert replaced(tiny)["norm.weight"].equal(state["norm.weight"])
    assert replaced(tiny)["blocks.1.norm2.bias"].equal(state["blocks.1.mlp.norm.bias"])


def test_scales_and_shifts_take_no_weight_decay(tiny):
    adapter = create(LN, LN.config(), tiny, 5, seed=0)
    assert [p is adapter.head.weight for p in by_decay(adapter)[0]] == [True]


def test_a_backbone_without_norms_is_refused_by_name():
    bare = Anatomy(
        "bare_vit", 8, 1, 1, (2, 2), 4, 8, sites={}, tensors={"patch_embed.proj.bias": (8,)}
    )
    with pytest.raises(BadValue, match="bare_vit has no normalisation"):
        LN.build(bare, LN.config())
