"""The datasets that come with the project."""

import subprocess
import sys

import numpy as np
import pytest

from peft_demo.contracts.errors import UnknownName
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import cards, open_dataset, shapes, split, textures

NAMES = [card.name for card in cards()]


def test_the_bundled_sets():
    assert NAMES == ["digits", "shapes", "textures"]


@pytest.mark.parametrize("card", cards(), ids=NAMES)
def test_a_card_says_what_is_in_the_set(card):
    dataset = open_dataset(DataSpec(name=card.name))
    assert dataset.classes == card.classes and len(dataset.examples) == card.images
    assert {e.label for e in dataset.examples} == set(range(len(card.classes)))
    assert len({e.name for e in dataset.examples}) == card.images
    assert card.title and card.summary and card.licence


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_the_same_at_every_opening_and_differ_from_each_other(name):
    one, other = (open_dataset(DataSpec(name=name)).examples[::40] for _ in range(2))
    digests = [e.digest for e in one]
    for module in (shapes, textures):
        module.draw.cache_clear()
    assert digests == [e.digest for e in other] and len(set(digests)) == len(digests)


@pytest.mark.parametrize("module", [shapes, textures])
def test_drawn_pictures_are_coloured_and_of_the_promised_size(module):
    for label in range(len(module.CLASSES)):
        picture = module.draw(label, 1)
        assert picture.size == (module.SIDE, module.SIDE) and picture.mode == "RGB"
        assert np.asarray(picture).std() > 5


def test_arrows_point_where_they_say():
    """Two fifths of the way from tip to tail an arrow is broad, its head; near the tail it is a
    narrow shaft."""
    ways = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
    for label, name in enumerate(shapes.CLASSES):
        right, down = np.sum([ways[word] for word in name.split()], axis=0)
        assert all(head_leads(shapes.draw(label, index), right, down) for index in range(12)), name


def head_leads(picture, right, down) -> bool:
    pixels = np.asarray(picture, dtype=int)
    y, x = np.nonzero(np.abs(pixels - pixels[0, 0]).sum(-1) > 60)
    along = x * right + y * down
    across = y * right - x * down
    middle = (along.min() + along.max()) / 2
    return np.ptp(across[along > middle]) > 1.3 * np.ptp(across[along < middle])


def test_digits_are_white_on_black_with_all_greys():
    zero = np.asarray(open_dataset(DataSpec()).examples[0].read())
    assert zero.shape == (8, 8, 3) and zero.min() == 0 and 230 < zero.max() <= 255


def test_sixteen_shots_leave_validation_and_test_images_in_every_bundled_set():
    for name in NAMES:
        chosen = split(open_dataset(DataSpec(name=name)), 16, 0)
        assert not chosen.notices and not chosen.rejected and not chosen.problem
        assert len(chosen.train) == len(chosen.val) == 16 * len(chosen.classes)
        assert len(chosen.test) >= 14 * len(chosen.classes)


def test_an_unknown_name_is_a_sentence():
    with pytest.raises(UnknownName, match="did you mean 'textures'"):
        open_dataset(DataSpec(name="texture"))


def test_importing_the_room_loads_no_heavy_library():
    heavy = "torch torchvision sklearn datasets pandas scipy"
    code = (
        "import sys, peft_demo.data as d; d.cards();"
        f"print([m for m in {heavy.split()} if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        == "[]"
    )
