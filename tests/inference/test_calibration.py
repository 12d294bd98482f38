"""One temperature makes probabilities true."""

import pytest
import torch

from peft_demo.inference.calibration import HIGHEST, LOWEST, divide, temperature
from peft_demo.inference.figures import figures

NAMES = tuple("abcd")


def drawn(images: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [N 4], and labels that are drawn with exactly their probabilities."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(images, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    return logits, labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_it_finds_what_the_logits_were_multiplied_by(factor):
    logits, labels = drawn()
    assert temperature(factor * logits, labels) == pytest.approx(factor, rel=0.05)


def test_the_error_of_probabilities_becomes_small():
    logits, labels = drawn()
    before = figures(labels, (3 * logits).softmax(dim=1), NAMES)["calibration_error"]
    cooler = 3 * logits / temperature(3 * logits, labels)
    after = figures(labels, cooler.softmax(dim=1), NAMES)["calibration_error"]
    assert after < 0.02 < before


def test_images_that_are_all_right_do_not_make_it_as_sure_as_can_be():
    logits = 4 * torch.eye(4).repeat(10, 1)
    labels = torch.arange(4).repeat(10)
    assert LOWEST < temperature(logits, labels) < 1


def test_it_stays_within_its_bounds():
    generator = torch.Generator().manual_seed(0)
    logits = 1000 * torch.randn(40, 4, generator=generator)
    assert temperature(logits, torch.arange(4).repeat(10)) == pytest.approx(HIGHEST, rel=1e-3)


def test_the_head_answers_with_it():
    head = torch.nn.Linear(3, 2)
    x = torch.randn(5, 3)
    before = head(x)
    divide(head, 2.0)
    assert torch.allclose(head(x), before / 2)
