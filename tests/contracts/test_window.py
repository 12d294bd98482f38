"""How deep and transparent pictures become plain RGB, as a value."""

import pytest

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.window import Window, parse_window, window_text


@pytest.mark.parametrize("text", ["0,4095", "-1000,3000", "0,1", "0.25,0.5"])
def test_a_range_is_written_as_it_is_read(text):
    assert window_text(parse_window(text)) == text
    assert parse_window(" ") == ()


@pytest.mark.parametrize("text", ["5", "1,2,3", "a,b", "0;1"])
def test_what_is_no_range_is_a_sentence(text):
    with pytest.raises(BadValue, match="two numbers"):
        parse_window(text)


@pytest.mark.parametrize("values", [(5, 1), (1, 1), (0, float("inf")), ("a", "b"), (1,)])
def test_a_range_has_two_finite_ends_in_order(values):
    with pytest.raises(BadValue, match="darkest value first"):
        Window(values)


@pytest.mark.parametrize("ground", ["white", "black", "grey", "#00ff7f", ""])
def test_grounds(ground):
    assert Window(ground=ground).ground == ground
    with pytest.raises(BadValue, match="unknown ground"):
        Window(ground="blue")


def test_what_one_leaves_open_another_says():
    automatic = Window((0, 4095), "black")
    assert Window().completed_by(automatic) == automatic
    assert Window((0, 9)).completed_by(automatic) == Window((0, 9), "black")


def test_it_says_what_other_programs_have_to_do():
    assert Window().words == ""
    words = Window((0, 4095), "black").words
    assert "values from 0 to 4095" in words and "stand on black" in words
