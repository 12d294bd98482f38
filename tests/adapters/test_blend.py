"""Several adapters in one plain model: W + Σ sₙ (Wₙ - W)."""

import pytest
import torch
from small import disturbed, images, new

from peft_demo.adapters import attach, blend, merge
from peft_demo.contracts.errors import BadValue, CannotMerge


@pytest.mark.parametrize("method", ["lora", "ssf", "bitfit", "rlrr"])
def test_one_alone_is_its_merged_model_and_half_of_it_is_half_its_strength(tiny, method):
    adapter = disturbed(new(method, tiny))
    x = images()
    with torch.no_grad():
        whole = blend(tiny, [adapter], [1.0])(x)
        assert torch.allclose(whole, merge(tiny, adapter)(x), atol=1e-5)
        half = attach(tiny, adapter, 0.5).eval()(x)
        assert torch.allclose(blend(tiny, [adapter], [0.5])(x), half, atol=1e-4)


def test_every_weight_is_the_frozen_one_moved_by_its_share_of_each(tiny):
    pair = [disturbed(new("lora", tiny), seed=1), disturbed(new("arc", tiny), seed=2)]
    frozen = tiny.model.state_dict()
    first, second = (merge(tiny, adapter).state_dict() for adapter in pair)
    blended = blend(tiny, pair, [2.0, -0.5]).state_dict()
    moved = 0
    for name, W in frozen.items():
        if name.startswith("head."):
            continue
        expected = W + 2 * (first[name] - W) - 0.5 * (second[name] - W)
        assert torch.allclose(blended[name], expected, atol=1e-5)
        moved += not torch.equal(blended[name], W)
    assert moved
    heads = [adapter.head.weight for adapter in pair]
    assert torch.allclose(blended["head.weight"], (2 * heads[0] - 0.5 * heads[1]) / 1.5)


def test_classes_in_another_order_are_put_in_the_first_ones(tiny):
    adapter = disturbed(new("lora", tiny))
    order = torch.tensor([2, 0, 1, 4, 3])
    model = blend(tiny, [adapter, adapter], [0.5, 0.5], [torch.arange(5), order])
    W = adapter.head.weight
    assert torch.allclose(model.head.weight, (W + W[order]) / 2)


def test_what_cannot_be_blended_says_why(tiny):
    adapter = new("lora", tiny)
    with pytest.raises(BadValue, match="add up to 0"):
        blend(tiny, [adapter, adapter], [1.0, -1.0])
    with pytest.raises(CannotMerge):
        blend(tiny, [adapter, new("adapter", tiny)], [0.5, 0.5])


def test_the_frozen_model_and_the_adapters_stay_as_they_are(tiny):
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    adapter = disturbed(new("lora", tiny))
    kept = {name: tensor.clone() for name, tensor in adapter.state().items()}
    blend(tiny, [adapter, adapter], [0.5, 0.5])
    assert all(
        torch.equal(tensor, tiny.model.state_dict()[name]) for name, tensor in before.items()
    )
    assert all(torch.equal(tensor, adapter.state()[name]) for name, tensor in kept.items())
