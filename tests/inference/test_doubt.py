"""A picture of something else lies farther from the classes than validation images do."""

import pytest
import torch

from peft_demo.adapters.class_means import class_means, distances
from peft_demo.contracts.doubt import LIMIT, STEPS
from peft_demo.inference.doubt import doubts, quantiles

CENTRES = torch.eye(3, 8)


def around(centres: torch.Tensor, images: int, seed: int) -> torch.Tensor:
    noise = torch.randn(len(centres), images, 8, generator=torch.Generator().manual_seed(seed))
    return (centres[:, None] + 0.05 * noise).flatten(0, 1)


@pytest.fixture
def known():
    """(class means, what a card keeps) of three classes."""
    labels = torch.arange(3).repeat_interleave(20)
    means = class_means(around(CENTRES, 20, seed=0), labels, 3)
    return means, quantiles(distances(around(CENTRES, 40, seed=1), means))


def test_means_are_bytes_that_keep_their_direction(known):
    means, _ = known
    assert means.dtype == torch.int8 and means.abs().amax(dim=1).tolist() == [127] * 3
    assert distances(CENTRES, means).max() < 0.01


def test_one_picture_of_a_class_in_twenty_is_called_none(known):
    found = doubts(around(CENTRES, 200, seed=2), *known)
    assert 0.01 < (found > LIMIT).float().mean() < 0.1
    assert found.min() >= 0 and found.max() <= 1


def test_what_is_of_no_class_is_doubted_most(known):
    elsewhere = around(torch.eye(8)[5:], 20, seed=3)
    assert doubts(elsewhere, *known).tolist() == [1.0] * len(elsewhere)


def test_how_long_features_are_does_not_matter(known):
    features = around(CENTRES, 5, seed=4)
    assert torch.allclose(doubts(features, *known), doubts(7 * features, *known), atol=1e-4)


def test_features_of_zeros_and_a_class_without_images_are_far():
    means = class_means(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), 2)
    assert means.tolist() == [[0] * 4] * 2
    assert distances(torch.ones(1, 4), means).tolist() == [1.0]
    assert distances(torch.zeros(1, 4), torch.ones(1, 4)).tolist() == [1.0]


def test_a_card_keeps_so_many_distances_that_do_not_fall(known):
    _, kept = known
    assert len(kept) == STEPS and list(kept) == sorted(kept)
