"""How each class is split, as bars and as numbers."""

from peft_demo.contracts.cards import ClassCount
from peft_demo.ui.data import split_table

from .fake import EVIL


def test_bars_are_shares_of_the_class_of_which_most_is_used():
    html = split_table.draw([ClassCount("a", 90, 10, 10, 20), ClassCount("b", 50, 10, 5, 5)])
    assert html.count('class="train" style="width:25.00%"') == 2
    assert html.count('class="test" style="width:50.00%"') == 1


def test_a_class_with_fewer_images_than_shots_says_so():
    html = split_table.draw([ClassCount("a", 12, 9, 1, 2), ClassCount("b", 90, 16, 9, 9)], 16)
    assert html.count('class="few"') == 1 and "9 of 16" in html


def test_names_stay_text():
    assert EVIL not in split_table.draw([ClassCount(EVIL, 3, 1, 1, 1)])


def test_no_classes_are_no_table():
    assert split_table.draw([]) == ""
