"""The two probe pictures: the same bytes on every machine, and telling ones."""

from hashlib import sha256

import numpy as np

from peft_demo.data.probes import TALL, WIDE, probe_pictures

BYTES = (
    "5a5170df7f0a912ee0a92e407bbf3f07a0a582219f501eac460143dfb4f40574",
    "ad7499c56ce133f2c5e5a9a241f4ff9c45c44479731e1943ec792ec2906f37c1",
)
"""SHA-256 of their pixels: who changes them counts `contracts.probes.VERSION` up."""


def test_they_have_the_bytes_that_every_file_was_made_with():
    assert tuple(sha256(picture.tobytes()).hexdigest() for picture in probe_pictures()) == BYTES


def test_one_is_wide_and_one_is_tall_and_both_are_rgb():
    wide, tall = probe_pictures()
    assert (wide.size, tall.size) == (WIDE, TALL) and wide.mode == tall.mode == "RGB"
    assert WIDE[0] > WIDE[1] and TALL[0] < TALL[1]


def test_no_two_channels_or_sides_are_alike():
    for picture in probe_pictures():
        pixels = np.asarray(picture).astype(float)
        red, green, blue = pixels.mean(axis=(0, 1))
        assert min(abs(red - green), abs(green - blue), abs(red - blue)) > 2
        for flipped in (pixels[::-1], pixels[:, ::-1]):
            assert abs(pixels - flipped).mean() > 10
