"""What a score tells beside its accuracy."""

import json

from peft_demo.contracts.score import ClassScore, Score, ScoredPicture

CLASSES = tuple(ClassScore(name, 3, 0.5, 0.5, 0.5) for name in ("cat", "dog", "eel"))
PICTURE = ScoredPicture(0, 1, 0.9, b"jpeg")
SCORE = Score(5 / 9, 9, 2, CLASSES, ((1, 2, 0), (0, 3, 0), (1, 1, 1)), 0.5, (PICTURE,))


def test_mistakes_are_listed_the_most_frequent_first():
    assert SCORE.mistakes() == [(2, "cat", "dog"), (1, "eel", "cat"), (1, "eel", "dog")]
    assert PICTURE.wrong


def test_its_json_has_no_pictures():
    values = json.loads(json.dumps(SCORE.to_json()))
    assert values["right"] == 5 and values["confusion"][0] == [1, 2, 0]
    assert values["classes"][2]["name"] == "eel"
    assert {"accuracy", "images", "left_out", "per_class"} <= values.keys()
    assert "pictures" not in values
