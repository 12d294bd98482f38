"""Small pictures of what an adapter was tested on, drawn once."""

import io

from PIL import Image

from peft_demo.contracts.cards import Sample
from peft_demo.studio.thumbnails import SIDE, Thumbnails, chosen


def sample(label: str, size: tuple[int, int] = (300, 200)) -> Sample:
    png = io.BytesIO()
    Image.new("RGB", size, "red").save(png, "PNG")
    return Sample(label, png.getvalue())


def test_as_many_classes_as_there_are_come_first():
    samples = [sample(label) for label in "aabbcde"]
    assert [one.label for one in chosen(samples)] == ["a", "b", "c", "d"]
    assert [one.label for one in chosen([sample("a"), sample("a"), sample("b")])] == ["a", "b", "a"]
    assert chosen([]) == []


def test_they_are_small_squares_and_nothing_is_enlarged():
    def size(of: Sample) -> tuple[int, int]:
        (picture,) = Thumbnails().get(0, lambda: [of])
        return Image.open(io.BytesIO(picture)).size

    assert size(sample("a")) == (SIDE, SIDE)
    assert size(sample("a", (8, 9))) == (8, 8)


def test_they_are_drawn_once_but_nothing_is_kept_of_nothing():
    asked = []

    def samples() -> list[Sample]:
        asked.append(1)
        return [sample("a")] if len(asked) > 1 else []

    thumbnails = Thumbnails()
    assert [len(thumbnails.get("x", samples)) for _ in range(4)] == [0, 1, 1, 1]
    assert len(asked) == 2


def test_an_adapter_whose_run_nobody_knows_has_none(studio, adapter_file, tmp_path):
    id = studio.zoo.take(adapter_file)
    assert studio.zoo.thumbnails(id) == []


def test_a_lora_of_peft_has_no_pictures_of_a_bundled_set(studio, adapter_file, tmp_path):
    """Nobody knows what it was trained on."""
    studio.zoo.export(studio.zoo.take(adapter_file), "peft", tmp_path / "lora")
    id = studio.zoo.take(tmp_path / "lora")
    assert studio.zoo.card(id).spec == {}
    assert studio.zoo.samples(id) == () and studio.zoo.thumbnails(id) == []
