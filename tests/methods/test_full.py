import torch
from small import by_decay

from peft_demo.adapters import attach, create
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.anatomy import timm_name
from peft_demo.vit.catalogue import Source

FULL = find_method("full")


def test_it_replaces_every_tensor_by_a_copy(tiny):
    replaced = create(FULL, FULL.config(), tiny, 5, seed=0).replaced()
    frozen = {timm_name(n): p for n, p in tiny.model.named_parameters()}
    assert replaced.keys() == frozen.keys()
    assert all(
        replaced[n].equal(p) and replaced[n].data_ptr() != p.data_ptr() for n, p in frozen.items()
    )


def test_the_model_reads_the_copies_everywhere(tiny):
    """With every copy set to zero the features are zero: no frozen tensor is left in the way."""
    adapter = create(FULL, FULL.config(), tiny, 5, seed=0)
    images = torch.randn(2, 3, 32, 32)
    for p in adapter.replaced().values():
        p.data.zero_()
    with torch.no_grad():
        assert not attach(tiny, adapter).eval().forward_features(images).any()
        assert tiny.model.forward_features(images).any()


def test_counts_on_vit_b():
    assert (
        FULL.count(anatomy_of(Source("b", "b", "vit_base_patch16_224")), FULL.config())
        == 85_798_656
    )


def test_matrices_take_weight_decay_and_vectors_do_not(tiny):
    adapter = create(FULL, FULL.config(), tiny, 5, seed=0)
    decayed, free = ({id(p) for p in parameters} for parameters in by_decay(adapter))
    names = adapter.replaced()
    assert (
        id(names["blocks.0.attn.qkv.weight"]) in decayed
        and id(names["patch_embed.proj.weight"]) in decayed
    )
    assert {id(names[n]) for n in ("pos_embed", "cls_token", "norm.weight", "norm.bias")} <= free
