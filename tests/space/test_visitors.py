"""Visitors of a Space do not meet: neither adapters nor runs nor images, and they take turns."""

import os
from dataclasses import replace
from io import BytesIO
from threading import Event
from time import monotonic
from types import SimpleNamespace

import pytest
from gradio.context import LocalContext
from hub_stand_in import TOKEN
from PIL import Image

from peft_demo.contracts.comparison import ComparisonSpec
from peft_demo.contracts.errors import BadData, BadValue, Busy, CannotWrite, NotAllowed, UnknownName
from peft_demo.contracts.events import Failed, Finished, Noticed, Progressed, Stopped
from peft_demo.contracts.specs import DataSpec, PushSpec, Recipe
from peft_demo.space import training_queue as turns_of
from peft_demo.space import visitors as room
from peft_demo.space.time_limit import stop_at
from peft_demo.space.training_queue import TrainingQueue
from peft_demo.space.visitor_id import COOKIE, NOBODY, visitor_id
from peft_demo.studio.comparison.record import ComparisonRecords
from peft_demo.studio.jobs import NOTHING_DONE
from peft_demo.studio.limits import Limits
from peft_demo.training import memory


def picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, "PNG")
    return file.getvalue()


def test_comparisons_are_those_of_the_space_and_none_is_started(visitors, visit, home):
    spec = ComparisonSpec(("linear",), (DataSpec(),))
    record = ComparisonRecords(home / "comparisons").create(spec)
    record.end()
    with visit("ann"):
        assert [card.id for card in visitors.comparisons.comparisons()] == [record.id]
        with pytest.raises(NotAllowed):
            visitors.comparisons.start(spec)
        with pytest.raises(NotAllowed):
            visitors.comparisons.go_on(record.id)


def test_everyone_sees_their_own_adapters_and_runs_only(visitors, visit, run, finish):
    with visit("ann"):
        id = visitors.training.start(run)
        assert isinstance(finish(visitors, id)[-1], Finished)
        assert [e.id for e in visitors.zoo.entries()] == ["linear-digits-s0"] and [
            r.id for r in visitors.training.runs()
        ] == [id]
    with visit("bob"):
        assert (
            visitors.zoo.entries() == []
            and visitors.training.runs() == []
            and visitors.training.status().state == "idle"
        )
        for question in (visitors.training.follow, visitors.training.stop):
            with pytest.raises(UnknownName):
                question(id)
        with pytest.raises(UnknownName):
            visitors.answers.classify(picture(), ["linear-digits-s0"])


def test_runs_started_in_the_same_second_have_different_ids(visitors, visit, run, finish):
    """A page's memory of runs is shared by all visitors and goes by id."""
    ids = []
    for name in ("ann", "bob"):
        with visit(name):
            ids.append(visitors._mine().training._runs.create(run).id)
    assert ids[0] != ids[1]


def test_backbones_are_held_once(visitors, visit):
    shelves = []
    for name in ("ann", "bob"):
        with visit(name):
            shelves.append(visitors._mine().answers._predictor._backbones)
    assert shelves[0] is shelves[1]


def test_paths_of_the_machine_may_not_be_named(visitors, visit, run):
    with visit("ann"), pytest.raises(Exception, match="may not be named"):
        visitors.training.start(replace(run, data=DataSpec("folder", "/etc")))


def test_too_many_shots_are_refused_at_once(visitors, visit, run):
    with visit("ann"), pytest.raises(BadValue, match="at most 32 shots, not 33"):
        visitors.training.start(replace(run, data=DataSpec(shots=33)))


def test_too_many_steps_are_refused_once_the_images_are_counted(visitors, visit, run, finish):
    with visit("ann"):
        last = finish(
            visitors, visitors.training.start(replace(run, recipe=Recipe(epochs=101, batch=1)))
        )[-1]
        assert isinstance(last, Failed) and "1010 steps; this Space allows 1000" in last.sentence


def test_studios_of_long_ago_are_forgotten_and_found_again(
    visitors, visit, run, finish, monkeypatch
):
    monkeypatch.setattr(room, "KEPT", 2)
    with visit("ann"):
        finish(visitors, visitors.training.start(run))
    for name in ("bob", "cid", "dot"):
        with visit(name):
            visitors.training.status()
    assert len(visitors._studios) == 2
    with visit("ann"):
        assert [e.id for e in visitors.zoo.entries()] == ["linear-digits-s0"]


def made(steps=2):
    """A `train` that yields its run's name twice, and material for as many steps as the run has
    epochs."""
    return (lambda run, *_, **__: iter([run.name] * steps)), SimpleNamespace(train=(None, [0]))


def test_the_line_is_kept(run):
    train, material = made()
    turns = TrainingQueue(train)
    first, second = (
        turns(replace(run, name=n), None, material, lambda: False) for n in ("first", "second")
    )
    assert next(first) == "first"
    assert next(second) == Progressed("waiting: 1 before you")
    assert list(first) == ["first"]
    assert list(second) == ["second"] * 2 and not turns._line


def test_who_stops_while_waiting_leaves_the_line(run):
    train, material = made()
    turns = TrainingQueue(train)
    stopping = []
    first = turns(run, None, material, lambda: False)
    second = turns(run, None, material, lambda: bool(stopping))
    next(first), next(second)
    stopping.append(True)
    assert [type(e) for e in second] == [Stopped] and len(turns._line) == 1


def test_a_burst_does_not_pass_the_line(home, visit, run):
    """Whoever has started counts, long before the images are read and the line is entered."""
    reading = Event()

    def slow(*_, **__):
        reading.wait(30)
        yield NOTHING_DONE

    visitors = room.Visitors(slow, device="cpu", offline=True, shipped=home / "none")
    for n in range(turns_of.WAITING + 1):
        with visit(f"visitor {n}"):
            visitors.training.start(run)
    with visit("one too many"), pytest.raises(Busy, match="waiting to train"):
        visitors.training.start(run)
    reading.set()
    visitors.close()


def test_a_visitor_has_one_run_at_a_time(home, visit, run):
    """Others wait in the line of all visitors; nobody fills it alone."""
    reading = Event()

    def slow(*_, **__):
        reading.wait(30)
        yield NOTHING_DONE

    visitors = room.Visitors(slow, device="cpu", offline=True, shipped=home / "none")
    with visit("ann"):
        visitors.training.start(run)
        assert not visitors.training.status().queues
        with pytest.raises(Busy, match="another run"):
            visitors.training.start(run)
    reading.set()
    visitors.close()


def test_a_run_ends_when_its_time_is_up_and_keeps_its_best(
    visitors, visit, run, finish, monkeypatch
):
    monkeypatch.setattr(turns_of, "SECONDS", 0)
    with visit("ann"):
        told = finish(visitors, visitors.training.start(replace(run, recipe=Recipe(epochs=100))))
        assert isinstance(told[-1], Stopped) and told[-1].step == 1
        assert any(
            isinstance(e, Noticed) and "trains for 0 s: what it has is kept" in e.text for e in told
        )
        assert len(visitors.zoo.entries()) == 1


def test_who_stops_is_not_told_of_a_limit():
    told = stop_at(monotonic() + 60, "why", lambda stop: iter([NOTHING_DONE]), lambda: True)
    assert list(told) == [NOTHING_DONE]


def test_one_step_must_not_take_for_ever(visitors, visit, run):
    with visit("ann"), pytest.raises(BadValue, match="at most 128 images a step, not 1024"):
        visitors.training.start(replace(run, recipe=Recipe(batch=1024)))


def test_large_images_are_refused_at_once(visitors, visit, run):
    with visit("ann"), pytest.raises(BadValue, match="at most 518 px, not 1024"):
        visitors.training.start(replace(run, size=1024))


def test_a_run_gets_half_of_the_free_memory(visitors, visit, run, finish, monkeypatch):
    """Ten pictures of 32 px take 30 kB beside what a step takes."""
    monkeypatch.setattr(memory, "free_bytes", lambda _: 100_000)
    with visit("ann"):
        last = finish(visitors, visitors.training.start(run))[-1]
    assert isinstance(last, Failed) and "would take about" in last.sentence


def test_pictures_of_visitors_are_read_one_dataset_at_a_time(visitors, visit, tmp_path):
    """A heavy check does not run beside another one; a bundled set does not wait for it."""
    (tmp_path / "photo.png").write_bytes(picture())
    with visit("ann"):
        for label in ("a", "b"):
            visitors.data.drafts.put("me", label, [tmp_path / "photo.png"])
        before: list[str] = []
        with visitors._readers.turn(None):
            assert visitors.data.check(DataSpec("bundled", "digits", shots=1)).counts
            with pytest.raises(KeyboardInterrupt):
                visitors.data.check(DataSpec("draft", "me"), _once(before))
        assert before[-1] == "waiting: 1 before you"
        assert len(visitors.data.check(DataSpec("draft", "me")).counts) == 2
    assert not len(visitors._readers)


def _once(heard: list[str]):
    """A report that gives up when it hears that somebody is before it."""

    def report(what: str, fraction: float = -1.0) -> None:
        heard.append(what)
        if "waiting" in what:
            raise KeyboardInterrupt

    return report


def test_a_dataset_of_a_visitor_has_a_pixel_budget(visitors, visit, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "LIMITS", Limits(pixels=32 * 32 - 1))
    (tmp_path / "photo.png").write_bytes(picture())
    with visit("ann"), pytest.raises(BadData, match="pixels together"):
        visitors.data.drafts.put("me", "red", [tmp_path / "photo.png"])


def test_files_of_visitors_who_do_not_return_are_swept(
    home, visitors, visit, run, finish, monkeypatch
):
    monkeypatch.setattr(room, "KEPT", 1)
    folders = {}
    for name in ("ann", "bob"):
        with visit(name):
            finish(visitors, visitors.training.start(run))
            folders[name] = visitors._mine().home.root
    for folder in folders.values():
        os.utime(folder, (0, 0))
    visitors._sweep()
    assert not folders["ann"].exists(), "she has not been here for a day"
    assert folders["bob"].exists(), "he is here"
    with visit("cid"):
        visitors.training.status()
    assert folders["bob"].exists(), "his day starts when he is forgotten"
    os.utime(folders["bob"], (0, 0))
    room.Visitors(device="cpu", offline=True, shipped=home / "none")
    assert not folders["bob"].exists()


def test_a_visitor_has_a_quota_on_disk(visitors, visit, run, monkeypatch, tmp_path):
    monkeypatch.setattr(room, "QUOTA", 100)
    (tmp_path / "photo.png").write_bytes(picture())
    with visit("ann"):
        visitors.data.drafts.put("me", "red", [tmp_path / "photo.png"])
        for filling in (
            lambda: visitors.data.drafts.put("me", "blue", [tmp_path / "photo.png"]),
            lambda: visitors.data.keep_upload(tmp_path / "photos.zip"),
            lambda: visitors.hub.pull("me/digits"),
            lambda: visitors.training.start(run),
        ):
            with pytest.raises(CannotWrite, match="yours are used up"):
                filling()
        assert set(visitors.data.drafts.classes("me")) == {"red"}
    with visit("bob"):
        visitors.data.drafts.put("me", "blue", [tmp_path / "photo.png"])


def test_a_visitor_is_a_cookie_else_a_page_view():
    def asking(cookie, view):
        request = SimpleNamespace(cookies={COOKIE: cookie} if cookie else {})
        token = LocalContext.request.set(SimpleNamespace(request=request, session_hash=view))
        try:
            return visitor_id()
        finally:
            LocalContext.request.reset(token)

    assert visitor_id() == NOBODY
    assert (
        asking("c", "view 1")
        == asking("c", "view 2")
        != asking("", "view 1")
        != asking("", "view 2")
    )
    assert asking("../../etc", "").isalnum()


def test_nobody_pushes_in_the_name_of_the_space(stand_in, home, visit, run, finish):
    """The Space may have a token of its own (HF_TOKEN); a visitor acts with theirs or not at
    all."""
    visitors = room.Visitors(device="cpu", shipped=home / "none")
    with visit("ann"):
        finish(visitors, visitors.training.start(run))
        push = PushSpec(("linear-digits-s0",), "me/digits")
        with pytest.raises(NotAllowed, match="nobody is logged in"):
            visitors.hub.push(push)
        assert stand_in.requests == []
        visitors.hub.push(push, TOKEN)
    with visit("bob"), pytest.raises(UnknownName):
        visitors.hub.push(push, TOKEN)
    with visit("bob"):
        assert visitors.hub.pull("me/digits") == ["linear-digits-s0"]
    visitors.close()
