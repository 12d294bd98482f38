"""A run as a generator: its events, its one look at test images, its stop, its failures, its
bits."""

import importlib
import threading
import time
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from PIL import Image
from small import COLOURS as CLASSES
from small import coloured, loaded, material, random_vit
from torch.nn import functional as F

from peft_demo.adapters import AdapterFile, attach, load
from peft_demo.contracts.errors import BadAdapter, TrainingFailed
from peft_demo.contracts.events import (
    Evaluated,
    Finished,
    Improved,
    Noticed,
    Started,
    Stepped,
    Stopped,
)
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.inference import score
from peft_demo.methods import find_method
from peft_demo.training import cost, train

TRAIN = importlib.import_module("peft_demo.training.train")


def spec(method="lora", seed=0, **recipe):
    values = {"epochs": 4, "batch": 8} | recipe
    return RunSpec(method, data=DataSpec(seed=seed, shots=8), recipe=Recipe(**values))


def of(event_type, events):
    return [e for e in events if type(e) is event_type]


@pytest.fixture(scope="module")
def events(tiny):
    return list(train(spec(), tiny, material()))


def test_a_run_starts_steps_evaluates_and_finishes(events):
    started = events[0]
    steps = of(Stepped, events)
    assert (type(started), type(events[-1])) == (Started, Finished)
    assert [s.step for s in steps] == list(range(1, started.steps + 1)) == list(range(1, 13))
    assert steps[-1].loss < steps[0].loss and steps[-1].eta_s == 0
    assert all(s.images_per_second > 0 and s.memory_mb > 0 for s in steps)
    assert (started.train_images, started.val_images, started.test_images) == (24, 9, 12)


def test_the_end_tells_what_the_parts_of_the_run_took(tiny):
    begun = time.perf_counter()
    waited = 0.0
    for event in train(spec(epochs=2), tiny, material()):
        if type(event) is Evaluated:
            time.sleep(0.05)  # as where a file is written
            waited += 0.05
    parts = event.learning_s, event.validation_s, event.end_s
    assert all(part > 0 for part in parts)
    assert waited <= event.validation_s and sum(parts) <= event.seconds
    assert event.seconds <= time.perf_counter() - begun
    assert event.learning_s == pytest.approx(2 * 24 / event.images_per_second)


def test_the_backbone_is_proven_frozen(events):
    assert events[-1].unchanged and events[-1].fingerprint == events[0].fingerprint


def test_a_backbone_that_moved_is_told(tiny):
    moving = random_vit(seed=5)
    run = train(spec(epochs=1), moving, material())
    next(run)
    moving.model.norm.weight.data += 1
    assert not list(run)[-1].unchanged


def test_the_best_on_validation_is_kept_and_measured_once(events, tiny):
    best = [e for e in of(Evaluated, events) if e.best][-1]
    finished = events[-1]
    file = AdapterFile.parse(of(Improved, events)[-1].adapter)
    assert (finished.best_step, finished.val_accuracy) == (best.step, best.accuracy)
    model = attach(tiny, load(file, tiny))
    card = file.card
    assert score(model, *coloured(12, 2), tiny)[1] == pytest.approx(finished.test_accuracy)
    assert score(model, *coloured(9, 1), tiny)[1] == pytest.approx(best.accuracy)
    assert (card.test_accuracy, card.test_images) == (finished.test_accuracy, 12)


def test_no_file_before_the_last_knows_a_test_score(events):
    cards = [AdapterFile.parse(e.adapter).card for e in of(Improved, events)]
    assert all(c.test_accuracy is None and c.test_images == 0 for c in cards[:-1])


def test_the_card_tells_what_is_needed_to_repeat_the_run(events):
    card = AdapterFile.parse(of(Improved, events)[-1].adapter).card
    chosen = {"lr": find_method("lora").lr, "head_lr": 1e-3, "precision": events[0].precision}
    assert RunSpec.from_json(card.spec) == spec(**chosen)
    assert "--method lora" in card.command() and "--epochs 4" in card.command()
    assert card.classes == CLASSES and card.seen == ("aa", "bb") and card.split == "split"
    assert card.curve[0][0] == 1 and card.accuracy_curve and card.versions["torch"]
    assert card.trainable == events[0].trainable


def test_a_card_carries_no_path(tiny):
    run = replace(
        spec(epochs=1), data=DataSpec("folder", "/home/somebody/private photos/", shots=8)
    )
    content = of(Improved, list(train(run, tiny, material())))[-1].adapter
    assert b"somebody" not in content
    assert AdapterFile.parse(content).card.spec["data"]["name"] == "private photos"


def test_what_is_written_can_be_read(tiny):
    """A name that cannot be seen is cleaned; classes that cannot be told apart end the run at
    once."""
    run = replace(spec(epochs=1), name="a\u202e\nb")
    content = of(Improved, list(train(run, tiny, material())))[-1].adapter
    assert AdapterFile.parse(content).card.name == "ab"
    twice = replace(material(), classes=("red", "red", "blue"))
    with pytest.raises(BadAdapter, match="all of them different"):
        next(train(spec(), tiny, twice))


def test_a_thumbnail_is_in_the_file_only_if_asked_for(tiny):
    cards = []
    for wanted in (False, True):
        events = list(train(replace(spec(epochs=1), thumbnail=wanted), tiny, material()))
        cards.append(AdapterFile.parse(of(Improved, events)[-1].adapter).card)
    assert cards[0].thumbnail == ""
    picture = Image.open(BytesIO(b64decode(cards[1].thumbnail)))
    assert picture.format == "JPEG" and max(picture.size) <= 96 and not picture.getexif()


def test_stop_ends_within_one_step_and_keeps_the_best_without_looking_at_test_images(tiny):
    seen = []
    for event in train(spec(), tiny, material(), stop=lambda: len(of(Stepped, seen)) >= 1):
        seen.append(event)
    assert len(of(Stepped, seen)) <= 2
    assert (
        type(seen[-1]) is Stopped and seen[-1].test_accuracy is None and seen[-1].test_images == 0
    )
    assert loaded(of(Improved, seen)[-1].adapter, tiny)


def test_without_validation_or_test_images_nothing_is_measured(tiny):
    seen = list(train(spec(epochs=2), tiny, material(val=0, test=0)))
    finished = seen[-1]
    assert not of(Evaluated, seen) and finished.best_step == finished.step
    assert (finished.val_accuracy, finished.test_accuracy) == (None, None)


def test_a_head_alone_learns_from_features_that_are_computed_once(tiny):
    passed = []
    watch = tiny.model.register_forward_hook(lambda _, images, out: passed.append(len(out)))
    try:
        finished = list(train(spec("linear", augment="none"), tiny, material()))[-1]
    finally:
        watch.remove()
    assert sum(passed) == 24 + 9 + 12 + 2, "each image once in 4 epochs, and two probes"
    assert finished.val_accuracy > 0.5 and finished.test_accuracy > 0.5


def test_a_loss_that_is_not_finite_ends_in_a_sentence(tiny):
    with pytest.raises(TrainingFailed, match="not finite at step"):
        list(
            train(
                spec("full", lr=10.0, epochs=50, warmup=0.0, clip=0.0, augment="none"),
                poisoned(tiny),
                material(),
            )
        )


def poisoned(backbone):
    other = random_vit(seed=2)
    other.model.blocks[0].attn.norm.weight.data.fill_(float("inf"))
    return other


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory")]
)
def test_running_out_of_memory_ends_in_a_sentence_with_half_the_batch(tiny, monkeypatch, error):
    def starve(*_, **__):
        raise error

    monkeypatch.setattr(F, "cross_entropy", starve)
    with pytest.raises(
        TrainingFailed, match=r"memory ran out at batch 8 and 32 px. Try --memory low or --batch 4"
    ):
        list(train(spec(), tiny, material()))


def test_a_plain_bug_is_not_called_a_memory_problem(tiny, monkeypatch):
    monkeypatch.setattr(F, "cross_entropy", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(train(spec(), tiny, material()))


def final_state(backbone, seed=0, **recipe):
    file = of(Improved, list(train(spec(seed=seed, **recipe), backbone, material())))[-1].adapter
    return loaded(file, backbone).state()


@pytest.mark.parametrize("augment", ["none", "crop+flip"])
def test_same_seed_same_bits_other_seed_other_bits(tiny, augment):
    first, second, other = (final_state(tiny, s, augment=augment) for s in (0, 0, 1))
    assert all(torch.equal(first[n], second[n]) for n in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_a_run_keeps_its_bits_while_another_thread_loads_and_predicts(tiny, events):
    """The promise of the seam: one adapter trains while others answer, over the same tensors."""
    file = of(Improved, events)[-1].adapter
    images = coloured(6, 3)
    alone = final_state(tiny)
    expected = score(attach(tiny, loaded(file, tiny)), *images, tiny)
    done = threading.Event()
    disturbed = []

    def answer():
        while not done.is_set():
            disturbed.append(score(attach(tiny, loaded(file, tiny)), *images, tiny) != expected)

    thread = threading.Thread(target=answer)
    thread.start()
    beside = final_state(tiny)
    done.set()
    thread.join()
    assert all(torch.equal(alone[n], beside[n]) for n in alone)
    assert disturbed and not any(disturbed)


def test_cost_is_what_a_run_turns_out_to_have(events, tiny):
    expected = cost(spec(), tiny.anatomy, len(CLASSES))
    started = events[0]
    finished = events[-1]
    assert (expected.trainable, expected.head, expected.steps) == (
        started.trainable,
        started.head,
        started.steps,
    )
    assert expected.share == pytest.approx(started.share)
    assert abs(expected.file_bytes - finished.file_bytes) < 6_000


def test_patience_ends_a_run_that_gets_no_better_and_tests_it(tiny):
    """It ends as any other, after as many validations as the recipe waits for a higher accuracy."""
    seen = list(train(spec(lr=1.0, head_lr=1.0, clip=0.0, epochs=10, patience=2), tiny, material()))
    finished = seen[-1]
    highest = max(of(Evaluated, seen), key=lambda e: e.accuracy)
    (notice,) = of(Noticed, seen)
    assert type(finished) is Finished and finished.test_images == 12
    assert finished.step == highest.step + 2 * 3 < 30
    assert notice.text.startswith("No better for 2 validations")


def test_without_validation_images_patience_never_ends_a_run(tiny):
    finished = list(train(spec(epochs=4, patience=1), tiny, material(val=0)))[-1]
    assert type(finished) is Finished and finished.step == 12


def test_the_end_says_where_the_validation_images_come_from(tiny):
    words = "The validation images come from elsewhere."
    told = replace(material(), validation=words)
    assert of(Noticed, list(train(spec(epochs=1), tiny, told))) == [Noticed("info", words)]
    untested = replace(material(test=0), validation=words)
    assert not of(Noticed, list(train(spec(epochs=1), tiny, untested)))
