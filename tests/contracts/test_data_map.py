"""What a map tells beside its drawing."""

import json

from peft_demo.contracts.data_map import PCA, TEST, DataMap, MappedPicture, Place

NOWHERE = Place(0.5, 0.5)


def mapped(label: int, answer: int, before: bool, after: bool) -> MappedPicture:
    return MappedPicture(label, answer, NOWHERE, Place(0.0, 1.0), before, after, b"jpeg")


PICTURES = (
    mapped(0, 0, False, True),
    mapped(0, 1, True, True),
    mapped(1, 1, False, False),
    mapped(1, 2, False, True),
)
MAP = DataMap(("cat", "dog", "eel"), PICTURES, 9, PCA, TEST, 0.5, 0.75)


def test_neighbours_and_mistakes_are_counted():
    assert (MAP.before, MAP.after, MAP.mistakes) == (0.25, 0.75, 2)
    assert MAP.in_words().endswith("25 % of the pictures before, 75 % after.")


def test_a_class_without_pictures_has_no_neighbours():
    rows = [(entry.name, entry.images, entry.before, entry.after) for entry in MAP.neighbours()]
    assert rows == [("cat", 2, 1, 2), ("dog", 2, 0, 1)]


def test_its_json_has_no_pictures():
    values = json.loads(json.dumps(MAP.to_json()))
    assert (values["neighbours_before"], values["kept_after"], values["out_of"]) == (0.25, 0.75, 9)
    assert values["points"][1] == {
        "label": 0,
        "answer": 1,
        "before": [0.5, 0.5],
        "after": [0.0, 1.0],
        "near_before": True,
        "near_after": True,
    }
    assert values["per_class"][1] == {"name": "dog", "images": 2, "before": 0, "after": 1}
