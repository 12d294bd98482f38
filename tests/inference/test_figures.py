"""The confusion matrix and what follows from it, by hand."""

import pytest
import torch

from peft_demo.inference.figures import figures

NAMES = ("cat", "dog", "eel", "fox")
TRUTH = torch.tensor([0, 0, 0, 1, 1, 3])
ANSWERS = torch.tensor([0, 0, 1, 1, 1, 2])


def sure(answers: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(answers, len(NAMES)).float()


def test_every_class_that_occurs_has_its_figures():
    values = figures(TRUTH, sure(ANSWERS), NAMES)
    cat, dog, eel, fox = values["classes"]
    assert (cat.name, cat.images, cat.precision) == ("cat", 3, 1.0)
    assert (cat.recall, cat.f1) == pytest.approx((2 / 3, 0.8))
    assert (dog.precision, dog.recall, dog.f1) == pytest.approx((2 / 3, 1.0, 0.8))
    assert (eel.images, eel.precision, eel.recall, eel.f1) == (0, 0.0, None, 0.0)
    assert (fox.images, fox.precision, fox.recall, fox.f1) == (1, None, 0.0, 0.0)
    assert values["confusion"] == ((2, 1, 0, 0), (0, 2, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0))
    assert values["macro_f1"] == pytest.approx((0.8 + 0.8) / 4)


def test_a_class_that_does_not_occur_is_left_out():
    values = figures(torch.tensor([1, 1]), sure(torch.tensor([1, 3])), NAMES)
    assert [entry.name for entry in values["classes"]] == ["dog", "fox"]
    assert values["confusion"] == ((1, 1), (0, 0))


def test_probabilities_that_are_true_have_no_error():
    probabilities = torch.tensor([[0.75, 0.25, 0, 0]] * 4)
    values = figures(torch.tensor([0, 0, 0, 1]), probabilities, NAMES)
    (tenth,) = values["reliability"]
    assert (tenth.probability, tenth.accuracy, tenth.images) == (0.75, 0.75, 4)
    assert values["calibration_error"] == 0
    assert values["brier"] == pytest.approx(2 * (3 * 0.25**2 + 0.75**2) / 4)


def test_sure_mistakes_cost_most():
    values = figures(TRUTH, sure(ANSWERS), NAMES)
    assert values["calibration_error"] == pytest.approx(2 / 6)
    assert values["brier"] == pytest.approx(2 * 2 / 6)
