"""Answers from memory: choosing, mixing, merging, pictures to try."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from peft_demo import adapters
from peft_demo.adapters.file import seal
from peft_demo.contracts.errors import BadAdapter, BadValue, CannotMerge
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import decode, open_dataset, split


@pytest.fixture(scope="module")
def zoo(open_studio, short, finish, photos, tmp_path_factory):
    """A studio with five adapters of three kinds; two are called "dog" and "dog2"."""
    studio = open_studio(tmp_path_factory.mktemp("zoo"))
    for method, name in (
        ("lora", "dog"),
        ("arc", "dog2"),
        ("adapter", "0"),
        ("linear", "1"),
        ("lora", "10"),
    ):
        run = short(method, epochs=4, name=name)
        finish(studio, studio.training.start(replace(run, data=replace(run.data, seed=len(name)))))
    return studio


def pictures(photos):
    return [photos / colour / "7.png" for colour in ("red", "green", "blue", "red", "green")]


def test_each_image_is_answered_by_its_own_adapter(zoo, photos):
    ids = ["10", "dog2", "0", "dog", "1"]
    mixed = zoo.answers.predict(pictures(photos), ids, top=3)
    alone = [
        zoo.answers.classify(picture, [id], top=3)[0]
        for picture, id in zip(pictures(photos), ids, strict=True)
    ]
    assert [m.adapter for m in mixed] == ids
    for a, b in zip(mixed, alone, strict=True):
        assert dict(a.top) == pytest.approx(dict(b.top), abs=1e-5)


def test_adapters_that_mix_share_one_forward_pass(zoo, photos, monkeypatch):
    passes = []
    monkeypatch.setattr(adapters.Mixed, "features", _counted(adapters.Mixed.features, passes))
    zoo.answers.predict([pictures(photos)[0]] * 5, ["dog", "dog2", "0", "1", "10"])
    assert passes == [4]


def _counted(features, passes):
    def counted(self, images, numbers):
        passes.append(len(images))
        return features(self, images, numbers)

    return counted


def test_images_and_adapters_come_in_pairs(zoo, photos):
    with pytest.raises(BadValue, match="2 images and 1 adapters"):
        zoo.answers.predict(pictures(photos)[:2], ["dog"])


def test_a_resident_adapter_is_not_loaded_again_and_a_changed_file_is(zoo, photos, monkeypatch):
    first = zoo.answers._predictor.choose("dog")
    zoo.answers._predictor.choose("dog2")
    monkeypatch.setattr(adapters, "load", lambda *_: pytest.fail("loaded again"))
    assert zoo.answers._predictor.choose("dog") is first
    monkeypatch.undo()
    zoo.zoo.rename_class("dog", "red", "crimson")
    assert "crimson" in zoo.answers._predictor.choose("dog").card.classes
    zoo.zoo.rename_class("dog", "crimson", "red")


def test_what_was_not_asked_for_longest_makes_room(zoo, monkeypatch):
    size = zoo.answers._predictor.choose("dog").bytes
    monkeypatch.setattr(zoo.answers._predictor, "_kept_bytes", 2 * size)
    monkeypatch.setattr(zoo.answers._predictor, "_ready", type(zoo.answers._predictor._ready)())
    kept = [zoo.answers._predictor.choose(id) for id in ("dog", "10", "1")]
    assert (
        kept[0] not in zoo.answers._predictor._ready.values()
        and kept[2] in zoo.answers._predictor._ready.values()
    )


def test_a_load_that_fails_changes_nothing(zoo, photos):
    file = zoo.zoo.file("dog")
    before = zoo.answers.classify(pictures(photos)[0], ["10"])
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-4])
        with pytest.raises(BadAdapter):
            zoo.answers.classify(pictures(photos)[0], ["dog"])
        refused, nobody, said = zoo.answers.predict([pictures(photos)[0]] * 3, ["dog", "do", "10"])
        assert (
            "cut short" in refused.refusal
            and "no adapter 'do'" in nobody.refusal
            and not refused.top
        )
        assert dict(said.top) == pytest.approx(dict(before[0].top), abs=1e-5)
    finally:
        file.write_bytes(whole)
    assert zoo.answers.classify(pictures(photos)[0], ["10"])[0].top == before[0].top


def test_an_answer_that_is_not_finite_is_a_refusal(zoo, photos):
    """Finite weights can be so large that what they answer is not a number."""
    content = adapters.AdapterFile.open(zoo.zoo.file("1"))
    tensors = content.tensors()
    tensors["head.weight"] = 3e38 * tensors["head.weight"].sign()
    file = adapters.AdapterFile.parse(seal(tensors, replace(content.card, name="huge")))
    zoo.zoo.take_all([file], ["huge"])
    picture = pictures(photos)[0]
    with pytest.raises(BadAdapter, match="not a finite number"):
        zoo.answers.classify(picture, ["huge"])
    huge, other = zoo.answers.predict([picture] * 2, ["huge", "dog"])
    assert "not a finite number" in huge.refusal and not huge.top
    assert other.top and not other.refusal


def test_merged_says_the_same(zoo, photos):
    said = zoo.answers.side_by_side(pictures(photos)[0], "dog", top=3)
    assert said.difference < 1e-5
    assert dict(said.attached.top) == pytest.approx(dict(said.merged.top), abs=1e-5)
    assert said.attached_ratio > 0 and said.merged_ratio > 0
    with pytest.raises(CannotMerge):
        zoo.answers.side_by_side(pictures(photos)[0], "0")


def test_samples_are_test_pictures_in_turns(studio, open_studio, short, finish, tmp_path):
    data = DataSpec("bundled", "shapes", shots=2)
    maker = open_studio(tmp_path / "elsewhere")
    finish(maker, maker.training.start(replace(short(epochs=1), data=data)))
    id = studio.zoo.take(maker.zoo.file(maker.training.runs()[0].adapter))
    shown = studio.zoo.samples(id)
    classes = studio.zoo.card(id).classes
    assert [sample.label for sample in shown[: len(classes)]] == list(classes)
    first = next(e for e in split(open_dataset(data), 2, 0).test if e.label == 0)
    with Image.open(BytesIO(shown[0].picture)) as picture:
        assert picture.format == "PNG", "it loses nothing, so the answer is that of the test"
        assert picture.tobytes() == decode(first.read()).tobytes()


def test_an_adapter_of_somebody_else_s_photos_has_no_samples(studio, adapter_file):
    assert studio.zoo.samples(studio.zoo.take(adapter_file)) == ()


def test_two_are_compared_on_images_that_neither_has_seen(zoo, photos):
    data = DataSpec("folder", str(photos))
    one, other = zoo.answers.evaluate("dog", data), zoo.answers.evaluate("dog2", data)
    score, both = zoo.answers.compare("dog", "dog2", data)
    _, back = zoo.answers.compare("dog2", "dog", data)
    assert score == one
    assert 0 < both.images <= min(one.images, other.images)
    assert (both.only_first, both.only_second) == (back.only_second, back.only_first)
    _, itself = zoo.answers.compare("dog", "dog", data)
    assert itself.images == one.images and itself.both == one.right and itself.difference == 0
