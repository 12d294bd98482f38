"""Model inputs: the same features whether they were taken before or not."""

import torch

from peft_demo.inference.inputs import CachedFeatures, ImageInputs, normalize
from peft_demo.inference.predict import outputs, predict_logits


def images(n: int) -> torch.Tensor:
    return torch.randint(
        0, 256, (n, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )


def test_pictures_are_normalised_and_augmented_by_chance_alone(tiny):
    chosen = torch.tensor([2, 0])
    order = torch.Generator()
    assert torch.equal(ImageInputs(images(3), tiny)[chosen], normalize(images(3)[chosen], tiny))
    changed = ImageInputs(images(3), tiny, "crop+flip", order.manual_seed(1))
    first = changed[chosen]
    second = changed[chosen]
    assert not torch.equal(first, second)
    order.manual_seed(1)
    assert torch.equal(changed[chosen], first)


def test_features_are_what_the_backbone_makes_of_each_image(tiny):
    features = CachedFeatures(ImageInputs(images(5), tiny))
    expected = outputs(tiny.model, images(5), tiny)
    torch.testing.assert_close(features[torch.tensor([3, 1])].cpu(), expected[[3, 1]])
    assert features.known.tolist() == [False, True, False, True, False]
    torch.testing.assert_close(features[torch.tensor([1, 4, 3, 0])].cpu(), expected[[1, 4, 3, 0]])


def test_a_head_answers_for_features_as_the_whole_model_for_pictures(tiny):
    head = torch.nn.Linear(tiny.anatomy.features, 3).to(tiny.device)
    whole = torch.nn.Sequential(tiny.model, head)
    out = predict_logits(head, CachedFeatures(ImageInputs(images(7), tiny)), batch=3)
    torch.testing.assert_close(out, outputs(whole, images(7), tiny))
