"""A run on a borrowed GPU tells the same as one in this process, through a stand-in that forks and
pickles. `test_gpu` runs this file in a process of its own."""

from dataclasses import replace

import pytest
import torch

from peft_demo import training, vit
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import TrainingFailed
from peft_demo.contracts.events import (
    Checkpointed,
    Evaluated,
    Failed,
    Finished,
    Improved,
    Started,
    Stepped,
    Stopped,
)
from peft_demo.contracts.specs import DataSpec, Recipe
from peft_demo.data import open_dataset, split
from peft_demo.data.few_shot_tensors import few_shot_tensors
from peft_demo.space import gpu
from peft_demo.space.visitors import Visitors

from . import fake_spaces


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return vit.load(size=32, home=tmp_path_factory.mktemp("home"), device="cpu")


@pytest.fixture(scope="module")
def material(backbone):
    return few_shot_tensors(split(open_dataset(DataSpec(shots=1)), 1, 0), backbone.size)


@pytest.fixture
def one_thread():
    """As in the other process: how a sum is shared out among threads shows in its last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def train(spaces, tmp_path):
    return gpu.borrowing(tmp_path)


def never():
    return False


def test_the_run_is_the_same_bit_for_bit(train, run, backbone, material, one_thread):
    """Every event but its clock and the checkpoints, and the tensors of the adapter."""
    there, here = (list(t(run, backbone, material, never)) for t in (train, training.train))
    here = [event for event in here if not isinstance(event, Checkpointed)]
    assert [type(e) for e in there] == [type(e) for e in here] and isinstance(there[-1], Finished)
    losses = [
        [e.loss for e in told if isinstance(e, Stepped | Evaluated)] for told in (there, here)
    ]
    assert losses[0] == losses[1]
    assert there[-1].test_accuracy == here[-1].test_accuracy and there[-1].unchanged
    assert AdapterFile.parse(there[-2].adapter).card.classes == material.classes


def test_stop_reaches_the_other_process_and_the_best_is_kept(train, run, backbone, material):
    long = replace(run, recipe=Recipe(epochs=1000))
    told = []
    for event in train(long, backbone, material, lambda: any(isinstance(e, Stepped) for e in told)):
        told.append(event)
    assert isinstance(told[-1], Stopped) and told[-1].step < 1000
    assert any(isinstance(e, Improved) for e in told)


def test_a_failure_comes_back_as_its_sentence(train, run, backbone, material, monkeypatch):
    def diverging(*_, **__):
        raise TrainingFailed("the loss is not finite at step 3.", "Try a learning rate below 10.")
        yield

    monkeypatch.setattr(training, "train", diverging)
    assert list(train(run, backbone, material, never)) == [
        Failed("the loss is not finite at step 3.", "Try a learning rate below 10.")
    ]


def test_a_backbone_that_is_not_there_is_a_failure_in_words(train, run, backbone, material):
    *_, last = train(
        run, replace(backbone, name="vit_tiny_patch16_224", fingerprint=""), material, never
    )
    assert isinstance(last, Failed) and "not on this machine" in last.sentence


def test_a_gpu_that_gives_up_is_a_sentence(train, run, backbone, material, monkeypatch):
    """An error that nobody foresaw: only the name of its class comes back."""

    def broken(*_, **__):
        raise ValueError("at /home/user/app/secret.py")
        yield

    monkeypatch.setattr(training, "train", broken)
    with pytest.raises(TrainingFailed, match="GPU of this Space gave up: ValueError"):
        list(train(run, backbone, material, never))


def test_closing_ends_the_other_process(train, run, backbone, material):
    events = train(replace(run, recipe=Recipe(epochs=1000)), backbone, material, never)
    assert isinstance(next(events), Started)
    events.close()


def test_a_run_stops_by_itself_before_its_time_is_up(train, run, backbone, material, monkeypatch):
    monkeypatch.setattr(gpu, "SECONDS", gpu.MARGIN)
    *_, why, last = train(replace(run, recipe=Recipe(epochs=1000)), backbone, material, never)
    assert isinstance(last, Stopped) and last.step == 1 and "what it has is kept" in why.text


def test_the_quota_asked_for_is_a_minute(train):
    assert fake_spaces.asked[-1] == gpu.SECONDS == 60


def test_a_visitor_trains_on_it_and_finds_the_adapter(spaces, home, visit, run, finish):
    """From Start to the zoo: jobs, journal and all."""
    visitors = Visitors(gpu.borrowing(home), device="cpu", offline=True, shipped=home / "none")
    with visit("ann"):
        told = finish(visitors, visitors.training.start(run))
        assert isinstance(told[-1], Finished), told[-1]
        assert [e.id for e in visitors.zoo.entries()] == ["linear-digits-s0"]
