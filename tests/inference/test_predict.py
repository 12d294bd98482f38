"""Answers are finite numbers, or there is none."""

import pytest
import torch

from peft_demo.contracts.errors import BadAdapter
from peft_demo.inference import outputs, top_classes


def test_the_likeliest_classes_come_first():
    probabilities = torch.tensor([0.2, 0.5, 0.3])
    best = top_classes(probabilities, ("a", "b", "c"), 2)
    assert [name for name, _ in best] == ["b", "c"]
    assert [value for _, value in best] == pytest.approx([0.5, 0.3])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_answer_that_is_not_finite_is_refused(value):
    with pytest.raises(BadAdapter, match="not a finite number"):
        top_classes(torch.tensor([0.5, value]), ("a", "b"), 2)


def test_weights_that_are_finite_can_give_an_answer_that_is_not(tiny):
    head = torch.nn.Linear(tiny.anatomy.features, 2)
    torch.nn.init.constant_(head.weight, 1e38)
    images = torch.full((1, 3, 32, 32), 200, dtype=torch.uint8)
    model = torch.nn.Sequential(tiny.model, head)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([3e38, 3e38]))
        head.weight[:] = 3e38 * model[0](images.float()).sign()
    with pytest.raises(BadAdapter, match="not a finite number"):
        top_classes(outputs(model, images, tiny).softmax(dim=-1)[0], ("a", "b"), 2)
