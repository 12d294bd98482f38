"""What a run's model is shown: the same features whether they were asked for before or not."""

import torch

from peft_demo.training.evaluate import answers, logits
from peft_demo.training.shown import Features, Pictures, normalised


def images(n: int) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_pictures_are_normalised_and_augmented_by_chance_alone(tiny):
    chosen, order = torch.tensor([2, 0]), torch.Generator()
    assert torch.equal(Pictures(images(3), tiny)[chosen], normalised(images(3)[chosen], tiny))
    changed = Pictures(images(3), tiny, "crop+flip", order.manual_seed(1))
    first, second = changed[chosen], changed[chosen]
    assert not torch.equal(first, second)
    order.manual_seed(1)
    assert torch.equal(changed[chosen], first)


def test_features_are_what_the_backbone_makes_of_each_image(tiny):
    features = Features(Pictures(images(5), tiny))
    expected = logits(tiny.model, images(5), tiny)
    torch.testing.assert_close(features[torch.tensor([3, 1])].cpu(), expected[[3, 1]])
    assert features.known.tolist() == [False, True, False, True, False]
    torch.testing.assert_close(features[torch.tensor([1, 4, 3, 0])].cpu(), expected[[1, 4, 3, 0]])


def test_a_head_answers_for_features_as_the_whole_model_for_pictures(tiny):
    head = torch.nn.Linear(tiny.anatomy.features, 3).to(tiny.device)
    whole = torch.nn.Sequential(tiny.model, head)
    out = answers(head, Features(Pictures(images(7), tiny)), batch=3)
    torch.testing.assert_close(out, logits(whole, images(7), tiny))
