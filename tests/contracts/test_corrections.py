"""What a person corrected, as one word of a command."""

import pytest

from peft_demo.contracts.corrections import corrections_text, parse_corrections
from peft_demo.contracts.errors import BadValue

A, B = "0123456789ab", "ba9876543210"


@pytest.mark.parametrize(
    "corrections", [{}, {A: "dogs"}, {A: ""}, {A: "cats, big = old", B: ""}, {A: "猫 %"}]
)
def test_it_comes_back_as_it_was(corrections):
    word = corrections_text(corrections)
    assert parse_corrections(word) == corrections
    assert " " not in word


@pytest.mark.parametrize("word", ["dogs", f"{A}", f"{A[:-1]}=dogs", f"{A}=a=b", "../x=dogs"])
def test_whatever_else_is_a_sentence(word):
    with pytest.raises(BadValue, match="DIGEST=CLASS"):
        parse_corrections(word)
