"""A run of the studio that goes on from an adapter of the zoo, or from a file."""

import shutil
from dataclasses import replace

import pytest

from peft_demo.contracts.errors import BadValue, UnknownName
from peft_demo.contracts.events import Finished, Interrupted, Noticed
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import RunSpec


@pytest.fixture
def go_on(short):
    """origin → a run of a second that goes on from it, all else left to it."""

    def make(adapter: str) -> RunSpec:
        return replace(short("", size=0), origin=Origin(adapter))

    return make


def test_a_run_goes_on_from_an_adapter_of_the_zoo(studio, go_on, finish, adapter_file):
    id = studio.zoo.take(adapter_file)
    run = studio.training.start(go_on(id))
    events = finish(studio, run)
    assert isinstance(events[-1], Finished), events[-1]
    card = studio.zoo.card(studio.training.run(run).adapter)
    before = studio.zoo.card(id)
    assert (card.method, card.knobs, card.size) == (before.method, before.knobs, before.size)
    assert card.origin == id and set(before.seen) <= set(card.seen)
    (told,) = [e.text for e in events if isinstance(e, Noticed) and "goes on from" in e.text]
    assert "3 of 3 classes" in told


def test_the_cost_is_that_of_its_method_and_knobs(studio, go_on, adapter_file):
    id = studio.zoo.take(adapter_file)
    card = studio.zoo.card(id)
    cost = studio.training.cost(go_on(id), classes=3)
    assert (cost.trainable, cost.head) == (card.trainable, card.head)


def test_a_file_is_named_by_its_path_and_the_path_stays_at_home(
    studio, open_studio, go_on, finish, adapter_file, tmp_path
):
    run = studio.training.start(go_on(str(adapter_file)))
    assert isinstance(finish(studio, run)[-1], Finished)
    file = studio.zoo.file(studio.training.run(run).adapter)
    assert str(adapter_file.parent).encode() not in file.read_bytes()
    assert studio.zoo.card(file.stem).origin == adapter_file.stem
    with pytest.raises(UnknownName):
        open_studio(tmp_path / "other", allow_local_paths=False).training.start(
            go_on(str(adapter_file))
        )


def test_a_run_writes_nothing_over_its_origin(studio, go_on, adapter_file):
    with pytest.raises(BadValue, match="is the adapter that this run goes on from"):
        studio.training.start(go_on(str(adapter_file)), out=adapter_file)


def test_resumed_after_its_origin_has_changed_it_says_so_and_can_be_tried_again(
    studio, open_studio, go_on, finish, adapter_file, tmp_path
):
    mine = tmp_path / "mine.safetensors"
    shutil.copy(adapter_file, mine)
    run = studio.training.start(go_on(str(mine)))
    finish(studio, run)
    journal = studio.home.runs / run / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    again = open_studio(studio.home.root)
    id = again.zoo.take(mine)
    mine.write_bytes(again.zoo.file(again.zoo.rename(id, "other")).read_bytes())
    again.training.resume(run)
    last = finish(again, run)[-1]
    assert isinstance(last, Interrupted) and "mine is no longer the file" in last.reason
    shutil.copy(adapter_file, mine)
    again.training.resume(run)
    assert isinstance(finish(again, run)[-1], Finished)


def test_what_was_left_out_of_the_test_is_left_out_when_it_is_measured_again(studio, finish, short):
    """With another seed, some test images were trained on before."""
    from peft_demo.contracts.specs import DataSpec

    digits = DataSpec(shots=2)
    finish(studio, studio.training.start(short("linear", epochs=1, data=digits)))
    first = studio.training.runs()[0].adapter
    run = RunSpec("", data=DataSpec(shots=2, seed=1), origin=Origin(first))
    finish(studio, studio.training.start(replace(run, recipe=short().recipe)))
    second = studio.training.runs()[0].adapter
    card = studio.zoo.card(second)
    score = studio.answers.verify(second)
    assert 0 < card.test_images == score.images < studio.zoo.card(first).test_images
    assert score.accuracy == pytest.approx(card.test_accuracy)
