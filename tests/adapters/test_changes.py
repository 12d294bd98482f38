"""What an adapter changed, from its file and the backbone alone."""

import json
from dataclasses import replace
from math import sqrt

import pytest
import timm
import torch
from small import STAGES, card, disturbed, loaded, new, random_vit, surveyed, trained

from peft_demo.adapters import changes, dump, merged_tensors
from peft_demo.adapters.spectra import effective_rank, norm, singular_values
from peft_demo.contracts.changes import BINS, Change, Changes
from peft_demo.methods import methods
from peft_demo.vit import wrap
from peft_demo.vit.anatomy import timm_name

each_method = pytest.mark.parametrize("name", sorted(methods()))


def at(result: Changes, place: str) -> Change:
    (change,) = [change for change in result.changes if change.place == place]
    return change


@each_method
def test_every_method_is_told_in_finite_numbers_and_nothing_moves(name, tiny):
    """A file of any method gives figures that are JSON; every trained number is counted once."""
    before = tiny.live_fingerprint()
    adapter = loaded(dump(disturbed(new(name, tiny)), card(new(name, tiny), tiny)), tiny)
    result = changes(tiny, adapter)
    json.loads(json.dumps(result.to_json(), allow_nan=False))
    own = sum(change.trainable for change in result.changes)
    assert own + result.shared == result.trainable == adapter.trainable
    assert all((change.weight is None) == bool(change.why) for change in result.changes)
    assert len({change.place for change in result.changes}) == len(result.changes)
    assert tiny.live_fingerprint() == before


@each_method
def test_the_sizes_are_those_of_the_merged_weights(name, tiny):
    """‖ΔW‖ over all places is what merging moves, where the method merges."""
    adapter = disturbed(new(name, tiny))
    if not adapter.method.merges(adapter.config):
        return
    merged = merged_tensors(tiny, adapter)
    frozen = {timm_name(path): tensor for path, tensor in tiny.model.named_parameters()}
    gaps = [merged[path].double() - tensor.double() for path, tensor in frozen.items()]
    moved = sum(float(gap.square().sum()) for gap in gaps)
    weights = [change.weight for change in changes(tiny, adapter).changes]
    told = sum(w.change_norm**2 + w.shift_norm**2 for w in weights)
    assert told == pytest.approx(moved, rel=1e-4)


@each_method
def test_a_new_adapter_that_starts_as_identity_changed_no_weight(name, tiny):
    adapter = new(name, tiny)
    if not adapter.method.identity(adapter.config):
        return
    for change in changes(tiny, adapter).changes:
        if change.weight is not None:
            assert change.weight.change_norm == pytest.approx(
                0, abs=1e-5 * change.weight.weight_norm
            )


def test_low_rank_products_have_their_rank(tiny):
    result = changes(tiny, disturbed(new("lora", tiny, rank=3)))
    weight = at(result, "blocks.1.q").weight
    assert len(weight.change) == 3 and 1 < weight.effective_rank <= 3
    assert weight.shape == (48, 48) and weight.share == 1
    assert len(weight.before) == len(weight.after) == 32
    assert [change.place for change in result.changes][:2] == ["blocks.0.q", "blocks.0.v"]


def test_the_effective_rank_is_that_of_the_entropy():
    """Four equal singular values count as four, one alone as one, whatever their size."""
    for scale in (1e-30, 1.0, 1e30):
        W = scale * torch.diag(torch.tensor([1.0, 1, 1, 1, 0, 0])).double()
        assert effective_rank(singular_values(W)) == pytest.approx(4)
        assert effective_rank(singular_values(W[:, :1])) == pytest.approx(1)
    assert effective_rank(singular_values(torch.zeros(3, 4).double())) is None


def test_singular_values_are_those_of_torch():
    W = torch.randn(20, 30, dtype=torch.float64)
    torch.testing.assert_close(singular_values(W), torch.linalg.svdvals(W))
    assert len(singular_values(W[:, :5] @ torch.randn(5, 40, dtype=torch.float64))) == 5


def test_huge_numbers_have_a_norm():
    assert norm(torch.full((4,), 1e200, dtype=torch.float64)) == pytest.approx(2e200)
    assert norm(torch.zeros(0, dtype=torch.float64)) == 0


def test_a_file_of_huge_numbers_is_told(tiny):
    """A stranger may have made it: nothing overflows into what is not JSON."""
    for name in sorted(methods()):
        adapter = new(name, tiny)
        with torch.no_grad():
            for parameter in adapter.parameters():
                parameter.fill_(3e38)
        json.dumps(changes(tiny, adapter.eval()).to_json(), allow_nan=False)


def test_biases_that_are_replaced_shift_and_leave_the_weight(tiny):
    weight = at(changes(tiny, disturbed(new("bitfit", tiny))), "blocks.0.qkv").weight
    assert weight.change_norm == 0 and weight.relative is None
    assert weight.shift_norm > 0 and weight.relative_shift > 0


def test_replaced_tensors_stand_where_they_belong(tiny):
    result = changes(tiny, disturbed(new("full", tiny)))
    kinds = {change.kind for change in result.changes if change.layer == 1}
    assert kinds == {"norm1", "qkv", "proj", "norm2", "fc1", "fc2"}
    outside = {change.place for change in result.changes if change.layer < 0}
    assert outside == {"cls_token", "pos_embed", "patch", "norm"}
    assert at(result, "blocks.0.norm1").weight.effective_rank is None
    assert at(result, "patch").weight.effective_rank > 1


def test_what_is_not_linear_tells_its_tensors(tiny):
    change = at(changes(tiny, trained("adapter", tiny)), "blocks.0.mlp")
    assert change.weight is None and "no single weight" in change.why
    assert {tensor.name for tensor in change.tensors} >= {"down", "up"}
    assert all(tensor.norm >= 0 for tensor in change.tensors)
    prompts = at(changes(tiny, new("vpt_deep", tiny)), "blocks.1")
    assert prompts.tensors[0].shape == (10, 48) and prompts.trainable == 480


def test_spt_shows_where_its_budget_went(tiny):
    adapter = disturbed(surveyed("spt_lora", tiny))
    result = changes(tiny, adapter)
    assert result.extra == adapter.extra and result.extra["structured"]
    for name, count in result.extra["sparse"].items():
        place, _, part = name.rpartition(".")
        if part == "weight":
            weight = at(result, place).weight
            assert weight.share == pytest.approx(count / (weight.shape[0] * weight.shape[1]))


def test_entries_change_a_weight_also_where_the_method_does_not_merge(tiny):
    result = changes(tiny, disturbed(surveyed("spt_adapter", tiny)))
    assert any(change.weight for change in result.changes if change.layer >= 0)
    assert any("not linear" in change.why for change in result.changes)


def test_what_is_shared_is_counted_once(tiny):
    result = changes(tiny, disturbed(new("arc", tiny)))
    change = at(result, "blocks.0.qkv")
    (projection,) = [tensor for tensor in change.tensors if tensor.shared]
    assert projection.name == "projection"
    assert result.shared == 2 * projection.shape[0] * projection.shape[1]


def test_aoft_starts_orthogonal_and_drifts(tiny):
    start = at(changes(tiny, new("aoft_lora", tiny)), "blocks.0.q").directions
    assert [entry.name for entry in start] == ["AO(q_down)", "AO(q_up)"]
    assert max(entry.drift for entry in start) < 1e-6
    later = at(changes(tiny, disturbed(new("aoft_lora", tiny), by=0.3)), "blocks.0.q").directions
    assert min(entry.drift for entry in later) > 1e-2


def test_angles_stand_beside_those_of_the_frozen_weight(tiny):
    down, up = at(changes(tiny, disturbed(new("lora", tiny, rank=4))), "blocks.0.q").directions
    assert (down.vectors, down.length) == (up.vectors, up.length) == (4, 48)
    for entry in (down, up):
        assert len(entry.cosines) == len(entry.frozen_cosines) == BINS
        assert sum(entry.cosines) == pytest.approx(1)
    one = at(changes(tiny, disturbed(new("lora", tiny, rank=1))), "blocks.0.q").directions[0]
    assert one.cosines == () and one.mean_cosine is None and one.drift == 0


def test_drift_is_the_distance_of_the_cosines_from_the_unit_matrix(tiny):
    adapter = disturbed(new("lora", tiny, rank=5))
    (down, _) = at(changes(tiny, adapter), "blocks.0.v").directions
    M = adapter.by_site()["blocks.0.v"].down.detach().double()
    units = M / M.norm(dim=1, keepdim=True)
    assert down.drift == pytest.approx(float((units @ units.T - torch.eye(5)).norm()))
    assert down.longest == pytest.approx(float(M.norm(dim=1).max()))


def test_one_bit_has_two_levels(tiny):
    """Also before it is packed."""
    for adapter in (trained("bi_lora", tiny), _packed(trained("bi_lora", tiny), tiny)):
        (down, _) = at(changes(tiny, adapter), "blocks.0.q").directions
        (low, few), (high, many) = down.levels
        assert low < high and few + many == pytest.approx(1)
    four = at(changes(tiny, trained("bi_lora", tiny, bits=2)), "blocks.0.q").directions[0]
    assert 2 < len(four.levels) <= 4
    assert at(changes(tiny, trained("lora", tiny)), "blocks.0.q").directions[0].levels == ()


def _packed(adapter, tiny):
    return loaded(dump(adapter, card(adapter, tiny)), tiny)


def test_householder_vectors_have_their_norm(tiny):
    tensors = at(changes(tiny, new("hta", tiny)), "blocks.0.q").tensors
    norms = {tensor.name: tensor.norm for tensor in tensors}
    assert norms["v_left"] == pytest.approx(sqrt(2), rel=1e-6)
    assert norms["diagonal"] == 0


def test_short_vectors_come_with_their_numbers(tiny):
    adapter = disturbed(new("arc", tiny))
    first, *_ = changes(tiny, adapter).changes
    tensors = {tensor.name: tensor for tensor in first.tensors}
    delta = adapter.by_site()[first.place]
    kept = tensors["coefficients"].values
    assert kept == tuple(delta.coefficients.detach().double().tolist())
    assert not tensors["projection"].values


def test_the_largest_change_is_found(tiny):
    adapter = new("lora", tiny)
    assert changes(tiny, adapter).largest.size == 0
    with torch.no_grad():
        adapter.by_site()["blocks.1.v"].up += 1
    assert changes(tiny, adapter).largest.place == "blocks.1.v"
    assert replace(changes(tiny, adapter), changes=()).largest is None


@pytest.mark.parametrize("name", ["full", "ssf", "lora", "hta"])
def test_a_backbone_without_biases_is_told(name):
    unbiased = random_vit(qkv_bias=False, depth=1)
    result = changes(unbiased, disturbed(new(name, unbiased)))
    assert all(change.weight for change in result.changes)


def test_a_swin_is_told_stage_by_stage():
    arch = "swin_tiny_patch4_window7_224"
    swin = wrap(timm.create_model(arch, num_classes=0, **STAGES).eval(), "swin", arch)
    for name in ("full", "rlrr", "ssf"):
        result = changes(swin, disturbed(new(name, swin)))
        assert {change.layer for change in result.changes} == {-1, 0, 1, 2, 3}
        assert all(change.weight for change in result.changes)
    tables = [change for change in result.changes if change.place == "layers.1.blocks.0.qkv"]
    assert tables[0].layer == 2
