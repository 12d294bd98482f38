"""The held-out pictures of a run stay with it: not in the journal, not in the adapter's file."""

from dataclasses import replace

import pytest

from peft_demo.contracts.held_out import HeldOut, HeldOutAnswer
from peft_demo.studio import held_out

ANSWER = HeldOutAnswer(3, 0, 1, 0.87, b"picture")


@pytest.fixture
def ended(studio, short, finish):
    """A studio after a run; its adapter's id."""
    finish(studio, studio.training.start(short()))
    return studio.training.runs()[0].adapter


def folder_of(studio, run=0):
    return studio.home.runs / studio.training.runs()[run].id


def test_what_is_written_is_read(tmp_path):
    event = HeldOut("test", "split", (ANSWER,))
    assert held_out.read(tmp_path) is None
    held_out.write(tmp_path, event)
    assert held_out.read(tmp_path) == event


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"part": 1, "split": 2, "answers": [3]}', "[" * 100_000, '{"answers": {}}'],
)
def test_an_odd_file_is_no_pictures(tmp_path, content):
    (tmp_path / held_out.FILE).write_text(content)
    assert held_out.read(tmp_path) is None


def test_an_adapter_has_the_pictures_of_its_run(studio, ended):
    samples = studio.zoo.samples(ended)
    classes = studio.zoo.card(ended).classes
    assert len(samples) == 3, "a fifth of eight, of three classes"
    assert all(sample.answer in classes and 0 < sample.probability <= 1 for sample in samples)
    wrong = [sample.answer != sample.label for sample in samples]
    assert wrong == sorted(wrong, reverse=True)
    (prediction,) = studio.answers.classify(samples[0].picture, [ended])
    assert prediction.label == samples[0].answer
    assert prediction.probability == pytest.approx(samples[0].probability, abs=1e-3)


def test_neither_the_journal_nor_the_adapter_holds_them(studio, ended):
    folder = folder_of(studio)
    journal = (folder / "events.jsonl").read_text()
    assert "HeldOut" not in journal and len(journal) < 10_000
    picture = studio.zoo.samples(ended)[0].picture
    assert picture not in studio.zoo.file(ended).read_bytes()


def test_they_follow_an_adapter_and_its_classes_to_new_names(studio, ended):
    before = studio.zoo.samples(ended)
    renamed = studio.zoo.rename(ended, "mine")
    studio.zoo.rename_class(renamed, "red", "crimson")
    after = studio.zoo.samples(renamed)
    assert [s.picture for s in after] == [s.picture for s in before]
    assert {s.label for s in after} == {"blue", "green", "crimson"}


def test_a_run_of_an_earlier_version_or_one_that_is_gone_has_none(studio, ended):
    (folder_of(studio) / held_out.FILE).unlink()
    assert studio.zoo.samples(ended) == ()


def test_each_adapter_has_those_of_its_own_run(studio, short, finish, ended):
    finish(studio, studio.training.start(short()))
    other = studio.training.runs()[0].adapter
    first = folder_of(studio, 1)
    event = held_out.read(first)
    held_out.write(first, replace(event, answers=(replace(ANSWER, picture=b"first"),)))
    assert studio.zoo.samples(ended)[0].picture == b"first"
    assert studio.zoo.samples(other)[0].picture != b"first"


def test_other_images_or_another_spec_are_another_run(studio, short, finish, ended, photos):
    folder = folder_of(studio)
    held_out.write(folder, replace(held_out.read(folder), split="other images"))
    assert studio.zoo.samples(ended) == ()
    finish(studio, studio.training.start(short("bitfit")))
    assert len(studio.zoo.samples(studio.training.runs()[0].adapter)) == 3
    assert studio.zoo.samples(ended) == ()


def test_a_full_disk_leaves_the_run_as_it_would_have_been(studio, short, finish, monkeypatch):
    from peft_demo.contracts.errors import CannotWrite

    def refuse(*_):
        raise CannotWrite("the disk is full: held_out.json could not be written.")

    monkeypatch.setattr(held_out, "write", refuse)
    events = finish(studio, studio.training.start(short()))
    assert type(events[-1]).__name__ == "Finished"
    assert any("no held-out pictures were kept" in getattr(e, "text", "") for e in events)
