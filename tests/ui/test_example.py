"""What a page opens on."""

from dataclasses import replace

from peft_demo.ui.example import example, first


def test_it_is_a_picture_whose_class_the_adapter_finds(service, monkeypatch):
    """The fake always answers with the first class."""
    pictures = service.zoo.samples
    monkeypatch.setattr(service.zoo, "samples", lambda id: pictures(id)[::-1])
    found = example(service)
    wanted = first(service)
    assert found.said.adapter == wanted
    assert (found.said.label, found.picture) == pictures(wanted)[0]


def test_an_adapter_that_finds_none_shows_its_first(service, monkeypatch):
    says = service.answers.classify
    monkeypatch.setattr(
        service.answers,
        "classify",
        lambda *asked: [replace(says(*asked)[0], top=(("nothing", 1.0),))],
    )
    assert example(service).picture == service.zoo.samples(first(service))[0][1]


def test_an_empty_zoo_has_nothing_to_show(service, monkeypatch):
    monkeypatch.setattr(service.zoo, "entries", lambda: [])
    assert example(service) is None and first(service) is None
