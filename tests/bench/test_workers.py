"""Runs at the same time: the same bits, none twice, none lost."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
import torch

from peft_demo.bench import sweep, workers
from peft_demo.bench.sweep import Job
from peft_demo.contracts.errors import BadData, PeftDemoError, UnknownName
from peft_demo.contracts.specs import RunSpec

DIGITS = ["--data", "digits", "--shots", 2, "--size", 32, "--epochs", 1]
SAME = ("id", "seed", "spec", "curve", "right", "test_accuracy", "val_accuracy", "trainable")


def runs(typed, methods, *more):
    code, out, err = typed("compare", *DIGITS, "--methods", methods, *more, "--json")
    assert code == 0, err
    return json.loads(out)["runs"], err


@pytest.mark.slow
def test_two_workers_give_the_bits_of_one_and_repeat_nothing(typed, home, tmp_path):
    threads = workers.threads_each(2)
    words = "linear,lora:rank=2,lora:scale=1:rank=2,lora:rank=2:scale=1", "--seeds", 2
    both, err = runs(typed, *words, "--workers", 2)
    assert "[0/8] 2 at a time" in err and "[8/8]" in err
    assert [line["method"] for line in both[:4]] == words[0].split(",")
    lines = (home / "comparisons.jsonl").read_text().splitlines()
    assert len(lines) == len({line["id"] for line in both}), "one run of three names is done once"
    assert all(line["threads"] == threads for line in both)

    assert runs(typed, *words, "--workers", 2)[0] == both
    assert runs(typed, *words)[0] == both, "one worker knows what two have done"
    assert (home / "comparisons.jsonl").read_text().splitlines() == lines

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        alone, _ = runs(typed, *words, "--results", tmp_path / "alone.jsonl")
    finally:
        torch.set_num_threads(before)
    for one, other in zip(alone, both, strict=True):
        assert {name: one[name] for name in SAME} == {name: other[name] for name in SAME}


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_run_alone(typed, home, monkeypatch):
    monkeypatch.setattr(workers, "_do", die_in_lora)
    both, err = runs(typed, "lora,linear", "--seeds", 2, "--workers", 2)
    assert ["error" in line for line in both] == [True, False, True, False]
    assert workers.DIED in both[0]["error"] and "failed" in err
    monkeypatch.undo()
    monkeypatch.setenv("PEFT_DEMO_HOME", str(home))
    again, _ = runs(typed, "lora,linear", "--seeds", 2, "--workers", 2)
    assert not any("error" in line for line in again)
    assert [line["id"] for line in again] == [line["id"] for line in both]


_do = workers._do


def die_in_lora(run, done):
    if run.method == "lora":
        os.kill(os.getpid(), signal.SIGKILL)
    return _do(run, done)


@pytest.mark.slow
def test_bad_data_in_a_worker_is_one_sentence(typed, tmp_path):
    (tmp_path / "empty" / "a").mkdir(parents=True)
    words = ["compare", "--data", tmp_path / "empty", "--methods", "linear", "--workers", 2]
    code, out, err = typed(*words)
    assert code == 2 and out == "" and "Traceback" not in err


@pytest.mark.slow
def test_workers_end_with_a_command_that_was_killed(home):
    words = ["--data", "digits", "--methods", "lora,linear", "--size", 32, "--epochs", 1000]
    arguments = [sys.executable, "-m", "peft_demo", "compare", *words, "--seeds", 1]
    environment = {**os.environ, "PEFT_DEMO_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    command = subprocess.Popen([*map(str, arguments), "--workers", "2"], env=environment)
    try:
        wait_for(lambda: len(children(command.pid)) >= 2)
        started = children(command.pid)
    finally:
        command.kill()
        command.wait()
    wait_for(lambda: not any(map(is_alive, started)))


def children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    pairs = [map(int, line.split()) for line in listed.stdout.splitlines()]
    return [pid for pid, ppid in pairs if ppid == parent]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return not state.stdout.startswith("Z")


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_jobs_of_one_run_stand_together():
    jobs = [Job("a", RunSpec()), Job("b", RunSpec(method="linear")), Job("c", RunSpec())]
    assert sweep._by_run(jobs) == [[0, 2], [1]]


def test_threads_are_shared_out(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert [workers.threads_each(count) for count in (1, 2, 3, 16)] == [8, 4, 2, 1]


@pytest.mark.parametrize("error", [BadData("no.", "Try."), UnknownName("method", "x", ["lora"])])
def test_an_error_comes_whole_from_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and isinstance(again, PeftDemoError)
    assert (again.sentence, again.hint) == (error.sentence, error.hint)


def test_no_workers_is_refused(typed):
    code, _, err = typed("compare", *DIGITS, "--methods", "linear", "--workers", 0)
    assert code == 2 and "workers" in err
