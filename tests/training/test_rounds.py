"""What a trial is judged on: validation images where there are enough, else folds."""

from dataclasses import replace

import pytest
import torch
from small import coloured, material

from peft_demo.contracts.errors import BadData
from peft_demo.training.rounds import rounds


def test_with_enough_validation_images_there_is_one_round_without_test_images():
    images = material(val=6)
    (only,) = rounds(images)
    assert only == replace(images, test=only.test)
    assert len(only.test[0]) == len(only.test[1]) == 0


@pytest.mark.parametrize(("train", "folds"), [(24, 4), (9, 3), (6, 2), (7, 2)])
def test_else_each_training_image_is_held_out_once(train, folds):
    images = replace(material(val=3), train=coloured(train, 0))
    parts = rounds(images)
    assert len(parts) == folds
    for part in parts:
        assert set(part.train[1].tolist()) == set(part.val[1].tolist()) == {0, 1, 2}
        assert len(part.train[1]) + len(part.val[1]) == train and not len(part.test[1])
    held_out = torch.cat([part.val[0] for part in parts])
    assert {image.numpy().tobytes() for image in held_out} == {
        image.numpy().tobytes() for image in images.train[0]
    }


def test_with_one_training_image_a_class_few_validation_images_have_to_do():
    (only,) = rounds(replace(material(val=3), train=coloured(3, 0)))
    assert len(only.val[1]) == 3


def test_with_neither_it_says_what_is_missing():
    with pytest.raises(BadData, match="each class needs two"):
        rounds(replace(material(val=0), train=coloured(3, 0)))
