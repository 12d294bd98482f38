import numpy as np
import pytest
import torch
from pictures import COLOURS, encoded, picture, quarters, tree
from PIL import Image

from peft_demo.contracts.errors import BadImage, BadValue
from peft_demo.contracts.specs import AUGMENTATIONS, DataSpec
from peft_demo.data import augment, open_dataset, split, stack, to_tensor

KINDS = AUGMENTATIONS


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int = 6, size: int = 24) -> torch.Tensor:
    return torch.stack([to_tensor(picture(n), size) for n in range(count)])


def test_a_picture_is_squeezed_to_a_square_and_nothing_cropped():
    tensor = to_tensor(quarters(80, 20), 16)
    assert tensor.shape == (3, 16, 16) and tensor.dtype == torch.uint8
    assert [tuple(tensor[:, y, x].tolist()) for y in (1, -2) for x in (1, -2)] == list(COLOURS)


def test_shrinking_is_antialiased():
    lines = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (64, 32))).convert("RGB")
    assert to_tensor(lines, 16).float().std() < 10


def test_stack_gives_uint8_images_and_their_labels(zipped):
    dataset = zipped({"cat": 2, "dog": 3})
    seen = []
    images, labels = stack(dataset.examples, 20, lambda what, fraction: seen.append(fraction))
    assert images.shape == (5, 3, 20, 20) and images.dtype == torch.uint8 and images.is_contiguous()
    assert labels.tolist() == [0, 0, 1, 1, 1] and labels.dtype == torch.int64 and seen == [0.0]
    assert torch.equal(images[3], to_tensor(picture(3), 20))
    empty, none = stack((), 20)
    assert empty.shape == (0, 3, 20, 20) and none.shape == (0,)


def test_stack_names_the_file_it_cannot_decode(zipped):
    cut = encoded(picture(9, side=64), "JPEG")[:2000]
    dataset = zipped(tree({"cat": 1}) | {"dog/cut.jpg": cut})
    with pytest.raises(BadImage, match=r"dog/cut\.jpg: "):
        stack(dataset.examples, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_augmentation_comes_from_the_generator_alone(kind):
    images = batch()
    torch.manual_seed(1)
    one = augment(images, kind, seeded(3))
    state = torch.get_rng_state()
    other = augment(images, kind, seeded(3))
    assert torch.equal(one, other) and torch.equal(state, torch.get_rng_state())
    assert one.shape == images.shape and one.dtype == torch.uint8
    assert torch.equal(images, batch())  # its argument stays as it was
    assert torch.equal(one, images) == (kind == "none")


def test_each_image_is_cropped_for_itself():
    same = to_tensor(picture(1), 24).expand(8, 3, 24, 24)
    assert len({bytes(image.flatten().tolist()) for image in augment(same, "crop", seeded())}) == 8


def test_only_the_flipping_kind_mirrors_and_then_about_half():
    left_dark = torch.zeros(200, 3, 16, 16, dtype=torch.uint8)
    left_dark[..., 8:] = 255
    mirrored = {
        k: (augment(left_dark, k, seeded())[:, 0, 8, 0] > 127).sum().item() for k in KINDS[1:]
    }
    assert mirrored["crop"] < 30 and mirrored["window"] == 0
    assert all(70 < count < 130 for kind, count in mirrored.items() if "flip" in kind)


def test_a_flip_alone_leaves_every_pixel_what_it_was():
    images = batch(8)
    flipped = augment(images, "flip", seeded())
    for one, other in zip(images, flipped, strict=True):
        assert torch.equal(one, other) or torch.equal(one.flip(-1), other)


def test_windows_of_larger_pictures_are_their_own_pixels():
    """224 of 256: every place is reached, nothing is resized; without one, the middle is taken."""
    rows = torch.arange(256, dtype=torch.uint8)[:, None].expand(256, 256)
    images = rows.expand(400, 3, 256, 256)
    windows = augment(images, "window", seeded(), 224)
    assert windows.shape == (400, 3, 224, 224)
    tops = windows[:, 0, 0, 0].tolist()
    assert min(tops) == 0 and max(tops) == 32
    assert all(
        torch.equal(w[0, :, 0], rows[t : t + 224, 0]) for w, t in zip(windows, tops, strict=True)
    )
    for kind in ("none", "flip"):
        assert (augment(images[:4], kind, seeded(), 224)[:, 0, 0] == 16).all()
    assert augment(images[:2], "crop", seeded(), 224).shape == (2, 3, 224, 224)


def test_crops_keep_at_least_half_of_the_picture():
    across = torch.arange(64, dtype=torch.uint8).mul(4).expand(300, 3, 64, 64)
    spans = augment(across, "crop", seeded())[:, 0, 0].float()
    share = (spans[:, -1] - spans[:, 0]) / 252
    assert 0.55 < share.min() < 0.75 and share.max() > 0.9


def test_an_unknown_augmentation_is_a_sentence():
    with pytest.raises(BadValue, match="crop\\+flip"):
        augment(batch(1), "twirl", seeded())


def test_digits_go_all_the_way():
    dataset = open_dataset(DataSpec())
    images, labels = stack(split(dataset, 2, 0).train, 32)
    assert images.shape == (20, 3, 32, 32) and labels.tolist() == sorted(list(range(10)) * 2)
