import pytest
from small import by_decay, random_vit

from peft_demo.adapters import create
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

PARTIAL = find_method("partial")


def replaced(backbone, k):
    return set(create(PARTIAL, PARTIAL.config({"blocks": k}), backbone, 5, seed=0).replaced())


def test_it_replaces_the_last_blocks_and_the_final_norm():
    backbone = random_vit(depth=12, pre_norm=True)
    names = backbone.anatomy.tensors
    last = {n for n in names if n.split(".")[:2] in (["blocks", "10"], ["blocks", "11"])}
    assert replaced(backbone, 2) == last | {"norm.weight", "norm.bias"}
    assert len(last) == 24, "block 1 is not among the last two"


def test_the_final_norm_is_whichever_there_is():
    assert {"fc_norm.weight", "fc_norm.bias"} <= replaced(
        random_vit(global_pool="avg", fc_norm=True), 1
    )


@pytest.mark.parametrize(("k", "count"), [(1, 7_089_408), (2, 14_177_280), (4, 28_353_024)])
def test_counts_on_vit_b(k, count):
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert PARTIAL.count(vit_b, PARTIAL.config({"blocks": k})) == count == k * 7_087_872 + 1_536


def test_it_starts_from_the_frozen_values(tiny):
    tensors = create(PARTIAL, PARTIAL.config(), tiny, 5, seed=0).replaced()
    frozen = tiny.model.state_dict()
    assert tensors["blocks.1.attn.qkv.weight"].equal(frozen["blocks.1.attn.map.qkv.weight"])


def test_matrices_take_weight_decay_and_vectors_do_not(tiny):
    adapter = create(PARTIAL, PARTIAL.config(), tiny, 5, seed=0)
    decayed, free = by_decay(adapter)
    assert {p.ndim for p in decayed} == {2} and {p.ndim for p in free} == {1}


def test_more_blocks_than_there_are_means_all(tiny):
    assert replaced(tiny, 12) == replaced(tiny, 2)


def test_no_blocks_is_a_sentence():
    with pytest.raises(BadValue, match="blocks takes a whole number from 1 to 12, got 0"):
        PARTIAL.config({"blocks": 0})
