"""The map of pictures: its figures by hand, and what the drawing must keep."""

import numpy as np
import pytest
import torch
from PIL import Image
from small import card, disturbed, new

from peft_demo.contracts.data_map import MOST, PCA, TEST, TRAINING, TSNE
from peft_demo.contracts.errors import BadData, BadValue
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import Dataset, Example
from peft_demo.inference import Attached
from peft_demo.inference.data_map import (
    data_map,
    draw,
    equally,
    in_unit_square,
    nearest_agree,
    turned_like,
)

SPEC = DataSpec(shots=2)


def example(label: int, part: str, n: int) -> Example:
    """A colour that differs by class, and a little by picture."""
    image = Image.new("RGB", (40, 30), (60 * label, 200 - 40 * label, 20 + 9 * (n % 20)))
    return Example(label, part, f"{label}/{n}", lambda: image)


def examples(classes: int = 3, each: int = 4, part: str = "") -> tuple[Example, ...]:
    return tuple(example(label, part, n) for label in range(classes) for n in range(each))


@pytest.fixture
def attached(tiny):
    """name → an adapter of five classes, a to e, around the tiny backbone, away from its start."""

    def make(name: str) -> Attached:
        adapter = disturbed(new(name, tiny), by=0.3)
        return Attached.of(tiny, adapter, card(adapter, tiny))

    return make


def dataset(*more: Example, classes: int = 3) -> Dataset:
    return Dataset("Colours", tuple("abcde")[:classes], (*examples(classes), *more))


def features(n: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 20, generator=torch.Generator().manual_seed(seed))


def test_neighbours_are_the_nearest_by_cosine_and_never_the_picture_itself():
    """The third is nearer to the first by distance, and points another way."""
    rows = torch.tensor([[1.0, 0], [90, 1], [0, 0.1], [0.1, 8]])
    agree = nearest_agree(rows, torch.tensor([0, 0, 0, 1]))
    assert agree.tolist() == [True, True, False, False]


@pytest.mark.parametrize("name", ["linear", "lora"])
def test_a_map_says_what_an_adapter_did(attached, name):
    """Only the head is trained by `linear`: before and after are the same."""
    drawn = data_map(attached(name), dataset(), SPEC, TEST, PCA)
    assert len(drawn.pictures) == drawn.out_of == 12
    assert {drawn.classes[picture.label] for picture in drawn.pictures} == set("abc")
    assert all(picture.picture.startswith(b"\xff\xd8") for picture in drawn.pictures)
    moved = [np.subtract(picture.after, picture.before) for picture in drawn.pictures]
    assert (np.abs(moved).max() < 1e-3) == (name == "linear")
    if name == "linear":
        assert drawn.before == drawn.after and drawn.kept_before == drawn.kept_after


def test_before_is_the_frozen_backbone_itself(attached, tiny):
    chosen = attached("lora")
    images = torch.randint(0, 255, (3, 3, 32, 32), dtype=torch.uint8)
    adapter = new("linear", tiny)
    frozen = Attached.of(tiny, adapter, card(adapter, tiny))
    assert torch.equal(chosen.at(0).read(images), frozen.read(images))


def test_training_images_are_those_of_the_split(attached):
    drawn = data_map(attached("linear"), dataset(), SPEC, TRAINING, PCA)
    assert drawn.part == TRAINING and len(drawn.pictures) == 6  # two of each class


def test_given_test_images_are_taken(attached):
    given = examples(3, 2, "test")
    drawn = data_map(attached("linear"), dataset(*given), SPEC, TEST, PCA)
    assert len(drawn.pictures) == 6


def test_what_cannot_be_drawn_is_a_sentence(attached):
    chosen = attached("linear")
    with pytest.raises(BadData, match="a map takes 5 pictures, and here are 4"):
        data_map(chosen, dataset(classes=1), SPEC, TEST, PCA)
    with pytest.raises(BadValue, match="pca or t-sne, got 'umap'"):
        data_map(chosen, dataset(), SPEC, TEST, "umap")
    with pytest.raises(BadValue, match="test or training, got 'val'"):
        data_map(chosen, dataset(), SPEC, "val", PCA)


@pytest.mark.parametrize("drawing", [PCA, TSNE])
@pytest.mark.parametrize("n", [5, 12])
def test_the_same_features_give_the_same_drawing(drawing, n):
    places, kept = draw(features(n), drawing)
    again, _ = draw(features(n), drawing)
    assert places.shape == (n, 2) and np.array_equal(places, again)
    assert np.isfinite(places).all() and np.abs(places.mean(axis=0)).max() < 1e-6
    assert kept is None if drawing == TSNE else 0 < kept < 1


@pytest.mark.parametrize("drawing", [PCA, TSNE])
def test_pictures_that_are_all_the_same_lie_in_one_place(drawing):
    places, kept = draw(torch.ones(6, 20), drawing)
    assert in_unit_square(places) == [(0.5, 0.5)] * 6 and kept is None


def test_a_plane_keeps_all_of_two_directions():
    flat = torch.zeros(8, 20)
    flat[:, :2] = features(8)[:, :2]
    assert draw(flat, PCA)[1] == pytest.approx(1)


def test_after_is_turned_like_before():
    model = features(12).numpy()[:, :2].astype(float)
    model -= model.mean(axis=0)
    cos, sin = np.cos(2.0), np.sin(2.0)
    mirrored = model @ np.array([[cos, sin], [-sin, cos]]) @ np.diag([1, -1])
    assert turned_like(mirrored, model) == pytest.approx(model)


def test_a_drawing_keeps_its_proportions():
    wide = np.array([[0.0, 0], [4, 0], [2, 1]])
    assert in_unit_square(wide) == [(0, 0.375), (1, 0.375), (0.5, 0.625)]


def test_of_many_pictures_equally_many_of_each_class_are_chosen():
    many = examples(2, 200) + examples(3, 20)[40:]
    chosen = equally(many, 0)
    counts = [sum(e.label == label for e in chosen) for label in range(3)]
    assert counts == [140, 140, 20] and len(chosen) == MOST
    assert equally(many[::-1], 0) == chosen != equally(many, 1)
