"""The pictures to try an adapter on, and what stands where there is no image."""

import pytest

from peft_demo.contracts.cards import Sample
from peft_demo.ui.classify import samples

from .fake import EVIL, picture

WRONG = Sample("cat", picture("cat"), "dog", 0.87)
RIGHT = Sample("dog", picture("dog"), "dog", 0.996)
UNASKED = Sample("cat", picture("cat"))


def test_held_out_pictures_say_what_they_were_taken_for():
    row = samples.show([WRONG, RIGHT])
    assert row.visible and "Held out in training" in row.value
    assert '<b>cat</b><span class="mistake">said dog 87\N{NO-BREAK SPACE}%</span>' in row.value
    assert "<b>dog</b><span>right, 100\N{NO-BREAK SPACE}%</span>" in row.value


def test_others_name_their_class_alone():
    row = samples.show([UNASKED])
    assert "<b>cat</b></button>" in row.value and samples.TRY in row.value


def test_nothing_is_hidden():
    assert samples.show([]).visible is False


def test_names_stay_text():
    row = samples.show([Sample(EVIL, picture("x"), EVIL + "!", 0.5)])
    assert "<img src=x" not in row.value and row.value.count("&lt;img src=x") == 2


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ([WRONG], ("Now try a new photo", "held out")),
        ([UNASKED], ("choose one of the pictures below",)),
        ([], ("Now try a new photo",)),
    ],
)
def test_without_an_image_it_says_what_to_do(pictures, words):
    hint = samples.hint(pictures)
    assert all(word in hint for word in words)
    assert ("below" in hint) == bool(pictures)
