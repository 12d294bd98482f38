"""Jobs driven by scripted generators: no backbone, no training."""

from threading import Event as Flag
from time import sleep

import pytest

from peft_demo.contracts.errors import (
    Busy,
    CannotResume,
    CannotWrite,
    NotAllowed,
    TrainingFailed,
    UnknownName,
)
from peft_demo.contracts.events import (
    Checkpointed,
    Failed,
    Finished,
    Improved,
    Interrupted,
    Noticed,
    Progressed,
    Resumed,
    Saved,
    Started,
    Stepped,
    Stopped,
)
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio.jobs import Jobs
from peft_demo.studio.runs import Runs

STARTED = Started(100, 10, 5, 2, 0.1, ("a", "b"), 4, 2, 0, "cpu", "f" * 64)


def ending(kind=Finished, step=3):
    return kind(step, step, 0.5, None, 0, 1.0, 10.0, 5.0, 5, 2, 100, "f" * 64, True)


def step(n):
    return Stepped(n, 1.0, 1e-3, 10.0, 9.0, 5.0)


def jobs(tmp_path, source, keep=lambda content, id: id or "kept") -> Jobs:
    return Jobs(Runs(tmp_path / "runs"), source, keep)


def told(jobs, id):
    assert jobs.wait(10)
    events = jobs.runs.record(id).journal.read()[0]
    return [
        e for e in events if not (isinstance(e, Noticed) and e.text.startswith("device memory"))
    ]  # CUDA's alone


def test_a_run_is_told_to_its_end(tmp_path):
    def source(run, report, stop, state):
        report("loading", 0.5)
        yield STARTED
        yield step(1)
        yield Improved(1, b"one")
        yield Improved(2, b"better")
        yield ending()

    kept = []

    def keep(content, id):
        kept.append((content, id))
        return "kept"

    made = jobs(tmp_path, source, keep)
    id = made.start(RunSpec())
    events = told(made, id)
    assert events == [
        Progressed("loading", 0.5),
        STARTED,
        step(1),
        Saved(1, "kept", 3),
        Saved(2, "kept", 6),
        ending(),
    ]
    assert kept == [(b"one", ""), (b"better", "kept")], (
        "a better state takes the place of the first one"
    )
    assert made.job.status().state == "done" and not made.running
    assert made.runs.card(made.runs.record(id)).adapter == "kept"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TrainingFailed("the loss is not finite.", "Try less."), "the loss is not finite."),
        (CannotWrite("the disk is full."), "the disk is full."),
        (MemoryError(), "memory ran out."),
        (ZeroDivisionError("oh"), "the run broke: ZeroDivisionError: oh."),
    ],
)
def test_an_error_is_a_failed_event_and_the_next_run_starts(tmp_path, error, sentence):
    def source(run, report, stop, state):
        yield STARTED
        if run.method == "lora":
            raise error
        yield ending()

    made = jobs(tmp_path, source)
    id = made.start(RunSpec())
    last = told(made, id)[-1]
    assert isinstance(last, Failed) and last.sentence == sentence
    assert sentence in made.job.status().message
    assert (tmp_path / "runs" / id / "error.txt").exists() == isinstance(error, ZeroDivisionError)
    assert isinstance(told(made, made.start(RunSpec("linear")))[-1], Finished)


def test_a_generator_that_just_ends_is_a_failed_run(tmp_path):
    made = jobs(tmp_path, lambda run, report, stop, state: (e for e in [STARTED]))
    assert isinstance(told(made, made.start(RunSpec()))[-1], Failed)


def endless(run, report, stop, state):
    yield STARTED
    for n in range(1, 10_000):
        yield step(n)
        if stop():
            yield Improved(n, b"best")
            yield ending(Stopped, n)
            return
        sleep(0.005)


def test_stop_ends_within_a_step_and_keeps_the_best(tmp_path):
    made = jobs(tmp_path, endless)
    id = made.start(RunSpec())
    while made.job.status().step < 3:
        sleep(0.005)
    assert made.job.status().state == "running" and made.job.status().busy
    made.stop(id)
    at = made.job.status().step
    *_, saved, last = told(made, id)
    assert last.step <= at + 1
    assert isinstance(saved, Saved) and isinstance(last, Stopped)
    assert made.job.status().state == "stopped"
    made.stop(id)  # a second tab, too late: nothing happens


def test_where_none_may_wait_a_second_start_is_busy_until_the_first_has_ended(tmp_path):
    made = Jobs(Runs(tmp_path / "runs"), endless, lambda content, id: id, queues=False)
    id = made.start(RunSpec())
    with pytest.raises(Busy, match="another run"):
        made.start(RunSpec())
    made.stop(id)
    while not made.runs.record(id).journal.ended():
        sleep(0.005)
    second = made.start(RunSpec())  # whoever has read the end may start at once
    made.stop(second)
    assert made.wait(5)


@pytest.mark.parametrize("wrapped", [False, True])
def test_stop_while_preparing_ends_with_nothing_kept(tmp_path, wrapped):
    reached = Flag()

    def source(run, report, stop, state):
        try:
            for n in range(10_000):
                report("downloading", n / 10_000)
                reached.set()
                sleep(0.005)
        except Exception as error:
            raise ConnectionError("the download broke off") if wrapped else error from None
        yield ending()

    made = jobs(tmp_path, source)
    id = made.start(RunSpec())
    assert reached.wait(5)
    made.stop(id)
    assert made.job.status().state in ("stopping", "stopped")
    last = told(made, id)[-1]
    assert isinstance(last, Stopped) and last.val_accuracy is None


def test_an_adapter_that_cannot_be_kept_fails_the_run(tmp_path):
    def keep(content, id):
        raise CannotWrite("the disk is full: a.safetensors could not be written.")

    made = jobs(
        tmp_path,
        lambda run, report, stop, state: (e for e in [STARTED, Improved(1, b"x"), ending()]),
        keep,
    )
    assert "the disk is full" in told(made, made.start(RunSpec()))[-1].sentence


def test_stop_of_another_process_is_refused_and_of_an_unknown_run_too(tmp_path):
    made = jobs(tmp_path, endless)
    elsewhere = Runs(tmp_path / "runs").create(RunSpec())
    with pytest.raises(NotAllowed, match="another window"):
        made.stop(elsewhere.id)
    with pytest.raises(UnknownName):
        made.stop("nope")
    elsewhere.lock.release()


def test_closing_the_process_stops_the_run(tmp_path):
    made = jobs(tmp_path, endless)
    id = made.start(RunSpec())
    made.close(grace=5)
    assert isinstance(told(made, id)[-1], Stopped)


def test_notices_reach_the_status_line(tmp_path):
    go = Flag()

    def source(run, report, stop, state):
        yield STARTED
        yield Noticed("warning", "shots were capped")
        go.wait(5)
        yield ending()

    made = jobs(tmp_path, source)
    id = made.start(RunSpec())
    while made.job.status().message != "shots were capped":
        sleep(0.005)
    go.set()
    told(made, id)


def interrupted(jobs, *events, state=b""):
    """The record of a run that told these events and died."""
    record = jobs.runs.create(RunSpec())
    for event in events:
        record.journal.append(event)
    if state:
        record.state_file.write_bytes(state)
    record.lock.release()
    return record


def test_a_run_keeps_its_state_until_it_ends(tmp_path):
    go = Flag()

    def source(run, report, stop, state):
        yield STARTED
        yield Checkpointed(3, lambda: b"the state")
        go.wait(5)
        yield ending()

    made = jobs(tmp_path, source)
    record = made.runs.record(made.start(RunSpec()))
    while not record.state():
        sleep(0.005)
    assert record.state() == b"the state"
    go.set()
    told(made, record.id)
    assert record.state() == b"" and not record.state_file.exists()


def test_a_state_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch):
    def refuse(path, content):
        raise CannotWrite("the disk is full.")

    monkeypatch.setattr("peft_demo.studio.job.write_file", refuse)
    made = jobs(tmp_path, lambda *_: (e for e in [STARTED, Checkpointed(3, bytes), ending()]))
    _, notice, last = told(made, made.start(RunSpec()))
    assert notice.level == "warning" and "the disk is full" in notice.text
    assert isinstance(last, Finished)


def test_a_resumed_run_gets_its_state_and_goes_on_in_place_of_its_adapter(tmp_path):
    given = []

    def source(run, report, stop, state):
        given.append(state)
        yield Resumed(3)
        yield STARTED
        yield Improved(4, b"better")
        yield ending()

    kept = []
    made = jobs(tmp_path, source, lambda content, id: kept.append(id) or id)
    record = interrupted(made, STARTED, step(3), Saved(3, "mine", 4), state=b"three steps")
    made.resume(record, adapter="mine")
    events = told(made, record.id)
    assert given == [b"three steps"] and kept == ["mine"]
    assert events[3:5] == [Interrupted(), Progressed("going on with the run")]
    assert events[5:] == [Resumed(3), STARTED, Saved(4, "mine", 6), ending()]
    assert not record.state_file.exists()


def test_a_run_without_a_state_goes_on_from_its_beginning(tmp_path):
    made = jobs(tmp_path, lambda *_: (event for event in [STARTED, ending()]))
    record = interrupted(made, STARTED, step(1))
    made.resume(record)
    assert told(made, record.id)[4:] == [Resumed(0), STARTED, ending()]


@pytest.mark.parametrize("stopped", [False, True])
def test_what_cannot_go_on_stays_interrupted_with_its_state(tmp_path, stopped):
    reached = Flag()

    def source(run, report, stop, state):
        while stopped:
            report("loading")
            reached.set()
            sleep(0.005)
        raise CannotResume("the images are others.", "Put them back.")
        yield

    made = jobs(tmp_path, source)
    record = interrupted(made, STARTED, state=b"state")
    id = made.resume(record)
    if stopped:
        assert reached.wait(5)
        made.stop(id)
    last = told(made, id)[-1]
    reason = "" if stopped else "the images are others. Put them back."
    assert last == Interrupted(reason)
    assert record.state() == b"state" and made.job.status().message == reason
    made.resume(record)
    made.stop(id)
    assert made.wait(5)


def test_only_what_was_interrupted_can_go_on(tmp_path):
    made = jobs(tmp_path, endless)
    ended = interrupted(made, STARTED, ending())
    with pytest.raises(CannotResume, match="has ended"):
        made.resume(ended)
    assert not ended.lock.is_locked
    living = made.runs.record(made.start(RunSpec()))
    with pytest.raises(Busy, match="going on already"):
        made.resume(living)
    made.stop(living.id)
    assert made.wait(5)
    elsewhere = Runs(made.runs.folder).create(RunSpec())
    with pytest.raises(Busy, match="another window"):
        made.resume(made.runs.record(elsewhere.id))
    elsewhere.lock.release()
