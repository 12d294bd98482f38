"""A few answers on held-out images: mistakes first, of many classes, with their pictures."""

from dataclasses import replace
from functools import partial
from io import BytesIO

import pytest
import torch
from PIL import Image
from small import material

from peft_demo.contracts.errors import BadImage
from peft_demo.contracts.events import Finished, Improved, Stopped
from peft_demo.contracts.held_out import HeldOut
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.data import Dataset, Example
from peft_demo.training import run_from_dataset, train
from peft_demo.training.held_out import MISTAKES, MOST, held_out_answers

RUN = RunSpec(method="linear", size=32, data=DataSpec(shots=2), recipe=Recipe(epochs=2, batch=8))


def answered(*pairs):
    """Answers to images of these (class, answer), the later the surer, among five classes."""
    logits = torch.zeros(len(pairs), 5)
    for image, (_, answer) in enumerate(pairs):
        logits[image, answer] = 1.0 + 0.1 * image
    return held_out_answers(logits, torch.tensor([label for label, _ in pairs]))


def test_mistakes_come_first_and_classes_take_turns():
    answers = answered((0, 0), (0, 1), (0, 2), (1, 0), (2, 2), (2, 2))
    assert [(a.image, a.label, a.answer) for a in answers] == [
        (2, 0, 2),
        (3, 1, 0),
        (1, 0, 1),
        (0, 0, 0),
        (5, 2, 2),
        (4, 2, 2),
    ]
    assert all(0.2 < a.probability < 1 and not a.picture for a in answers)


@pytest.mark.parametrize(
    ("wrong", "right", "shown"), [(50, 50, MISTAKES), (50, 0, MOST), (50, 2, 10), (0, 50, 0)]
)
def test_there_are_a_few_and_right_ones_among_them(wrong, right, shown):
    answers = answered(*[(0, 1)] * wrong, *[(3, 3)] * right)
    assert len(answers) == MOST
    assert sum(a.answer != a.label for a in answers) == shown


def held_out(events) -> list[HeldOut]:
    return [event for event in events if isinstance(event, HeldOut)]


def test_they_are_of_the_test_images_and_come_before_the_end(tiny):
    events = list(train(RUN, tiny, material()))
    (event,) = held_out(events)
    assert (event.part, event.split) == ("test", "split")
    assert [type(e) for e in events[-3:]] == [HeldOut, Improved, Finished]
    mistakes = round((1 - events[-1].test_accuracy) * 12)
    assert sum(a.answer != a.label for a in event.answers) == mistakes
    with pytest.raises(TypeError):
        event.to_json()


def test_where_nothing_is_tested_they_are_of_the_validation_images(tiny):
    (event,) = held_out(train(RUN, tiny, material(test=0)))
    assert event.part == "val" and len(event.answers) == 9
    assert not held_out(train(RUN, tiny, material(val=0, test=0)))


def test_a_run_that_is_stopped_does_not_look_at_test_images(tiny):
    events = list(train(RUN, tiny, material(), stop=lambda: True))
    (event,) = held_out(events)
    assert isinstance(events[-1], Stopped) and event.part == "val"


def dataset() -> Dataset:
    """Two classes of ten photos of 900 × 600."""
    examples = []
    for n in range(20):
        photo = BytesIO()
        Image.effect_noise((900, 600), 10 + 5 * n).save(photo, "PNG")
        examples.append(Example(n % 2, "", f"{n}.png", photo.getvalue))
    return Dataset("noise", ("calm", "wild"), tuple(examples))


def test_a_run_from_a_dataset_brings_the_pictures(tiny):
    (event,) = held_out(run_from_dataset(RUN, tiny, dataset()))
    assert event.answers
    for answer in event.answers:
        with Image.open(BytesIO(answer.picture)) as picture:
            assert picture.size == (512, 341) and not picture.getexif()


def test_a_picture_that_is_gone_is_left_out(tiny):
    photos = dataset()
    gone = set()

    def read(example):
        if gone:
            raise BadImage("this file cannot be read.")
        return example.read()

    examples = tuple(replace(e, read=partial(read, e)) for e in photos.examples)
    events = run_from_dataset(RUN, tiny, replace(photos, examples=examples))
    seen = []
    for event in events:
        seen.append(event)
        gone.add("now")
    assert held_out(seen)[0].answers == () and isinstance(seen[-1], Finished)


@pytest.mark.parametrize(("test", "part"), [(12, "test"), (0, "val")])
def test_a_search_tells_those_of_its_best_trial_once(tiny, test, part):
    run = replace(RUN, method="lora", knobs={"rank": 2}, tune=2)
    events = list(train(run, tiny, material(test=test)))
    (event,) = held_out(events)
    assert event.part == part and event.answers
    assert isinstance(events[-1], Finished)
