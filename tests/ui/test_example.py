"""What a page opens on."""

from dataclasses import replace

import pytest

from peft_demo.ui.classify.example import example, first_adapter


def test_it_is_a_picture_whose_class_the_adapter_finds(service, monkeypatch):
    """The fake always answers with the first class."""
    pictures = service.zoo.samples
    monkeypatch.setattr(service.zoo, "samples", lambda id: pictures(id)[::-1])
    shown = example(service.zoo, service.answers)
    adapter = first_adapter(service.zoo)
    assert shown.prediction.adapter == adapter
    first = pictures(adapter)[0]
    assert (shown.prediction.label, shown.picture) == (first.label, first.picture)


def test_an_adapter_that_finds_none_shows_its_first(service, monkeypatch):
    classify = service.answers.classify

    def wrong(*arguments):
        (prediction,) = classify(*arguments)
        return [replace(prediction, top=(("nothing", 1.0),))]

    monkeypatch.setattr(service.answers, "classify", wrong)
    first, *_ = service.zoo.samples(first_adapter(service.zoo))
    assert example(service.zoo, service.answers).picture == first.picture


@pytest.mark.usefixtures("empty_zoo")
def test_an_empty_zoo_has_nothing_to_show(service):
    assert example(service.zoo, service.answers) is None
    assert first_adapter(service.zoo) is None


@pytest.fixture
def empty_zoo(service, monkeypatch):
    monkeypatch.setattr(service.zoo, "entries", list)
