"""More or less of an adapter is a straight line between the frozen weights and its own."""

import pytest
import torch
from small import disturbed, images, new

from peft_demo.adapters import attach
from peft_demo.vit.anatomy import tree_name


@pytest.mark.parametrize("strength", [0.25, 1.5])
def test_half_of_a_low_rank_product_is_half_of_its_factor(tiny, strength):
    adapter = disturbed(new("lora", tiny))
    with torch.no_grad():
        scaled = attach(tiny, adapter, strength).eval()(images())
        for delta in adapter.by_site().values():
            delta.up *= strength
        expected = attach(tiny, adapter).eval()(images())
    assert torch.allclose(scaled, expected, atol=1e-4)


def test_trained_tensors_lie_between_the_frozen_ones_and_their_own(tiny):
    adapter = disturbed(new("bitfit", tiny))
    model = attach(tiny, adapter, 0.5)
    for name, own in adapter.replaced().items():
        name = tree_name(name)
        half = model.get_parameter(name)
        assert torch.allclose(half, (tiny.model.get_parameter(name) + own) / 2)
        assert not half.requires_grad
        assert attach(tiny, adapter).get_parameter(name) is own
