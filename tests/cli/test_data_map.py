"""`map`: what an adapter did to the features of pictures."""

import pytest


@pytest.fixture
def trained(answer, train) -> str:
    return answer(*train(method="linear"))["adapter"]


def test_a_row_for_each_class_and_a_sentence(trained, typed, photos):
    code, out, _ = typed("map", trained, photos, "--training", "--shots", 4)
    lines = out.splitlines()
    assert code == 0 and lines[0].split() == ["class", "images", "before", "after"]
    assert lines[1].startswith("dark") and lines[2].startswith("light")
    assert "of the pictures before and after." in lines[3]
    assert lines[4] == "8 of 8 images, its training images"


def test_the_json_says_where_each_picture_lies(trained, answer, photos):
    value = answer("map", trained, photos, "--tsne", "--training", "--shots", 4)
    assert value["drawing"] == "t-sne" and value["part"] == "training"
    assert value["neighbours_before"] == value["neighbours_after"] and value["kept_after"] is None
    assert all(0 <= x <= 1 for point in value["points"] for x in point["after"])


def test_too_few_pictures_are_a_sentence(trained, typed):
    code, _, err = typed("map", trained)
    assert code == 2 and "a map takes 5 pictures, and here are 2. Add some." in err
