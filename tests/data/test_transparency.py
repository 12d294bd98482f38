"""Transparent pictures: white drawings on nothing are seen, and blank ones are never "ready"
(F10)."""

from dataclasses import replace

import numpy as np
import pytest
from pictures import encoded, picture
from PIL import Image, ImageDraw

from peft_demo.contracts.window import Window
from peft_demo.data import decode, report_of, split
from peft_demo.data.transparency import choose_ground


def drawing(number: int, colour: str) -> bytes:
    """A shape on nothing: where there is no ink, everything is transparent white."""
    image = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    ImageDraw.Draw(image).ellipse((4 + 3 * number, 8, 40 + 2 * number, 44), fill=colour)
    return encoded(image)


def drawings(colour: str) -> dict[str, bytes]:
    names = [f"{label}/{n}.png" for label in ("bar", "ring") for n in range(4)]
    return {name: drawing(number, colour) for number, name in enumerate(names)}


@pytest.mark.parametrize(("ink", "ground"), [("white", "black"), ("black", ""), ("red", "")])
def test_a_ground_is_chosen_on_which_the_drawings_are_seen(zipped, ink, ground):
    """F10"""
    chosen = split(zipped(drawings(ink)), 2, 0)
    assert chosen.window.ground == ground and not chosen.problem and not chosen.doubt
    seen = decode(chosen.train[0].read(), chosen.window)
    assert np.asarray(seen.convert("L")).std() > 20
    assert any("stand on" in notice for notice in chosen.notices)


def test_what_is_blank_on_the_ground_that_was_said_is_a_problem(zipped):
    """F10: never "ready to train"."""
    dataset = replace(zipped(drawings("white")), window=Window(ground="white"))
    chosen = split(dataset, 2, 0)
    assert "blank" in chosen.problem and "blank" in report_of(dataset, chosen).doubt


def test_opaque_pictures_have_no_ground():
    assert choose_ground([]) == ""
    opaque = encoded(picture(1).convert("RGBA"))
    assert decode(opaque, Window(ground="black")) == decode(opaque)


def test_pictures_that_are_empty_already_are_a_doubt(zipped):
    """F10's kind: sheets of white paper, and black ones, which no window will show."""
    sheets = {
        f"{name}/{number}.png": encoded(Image.new("RGB", (40, 40 + number), colour))
        for name, colour in (("cat", "white"), ("dog", "black"))
        for number in range(3)
    }
    chosen = split(zipped(sheets), 1, 0)
    assert "all black or all white" in chosen.doubt and not chosen.problem
