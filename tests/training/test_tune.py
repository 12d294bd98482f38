"""A run that searches first: its events, what it keeps, its one look at test images, its stop."""

from dataclasses import replace

import pytest
import torch
from small import coloured, material

from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import BadValue, CannotResume, TrainingFailed
from peft_demo.contracts.events import (
    Checkpointed,
    Evaluated,
    Event,
    Finished,
    Improved,
    Noticed,
    Started,
    Stepped,
    Stopped,
    Tried,
    from_json,
)
from peft_demo.contracts.history import trials_of
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.training import going_on, search, train, tune

RUN = RunSpec("lora", {"rank": 2}, DataSpec(shots=8), recipe=Recipe(epochs=2, batch=12), tune=3)


def of(kind: type, events: list[Event]) -> list:
    return [event for event in events if type(event) is kind]


def last(events: list[Event]) -> AdapterFile:
    return AdapterFile.parse(of(Improved, events)[-1].adapter)


@pytest.fixture(scope="module")
def events(tiny) -> list[Event]:
    return list(train(RUN, tiny, material()))


@pytest.fixture(scope="module")
def alone(tiny) -> list[list[Event]]:
    """The trials as runs of their own."""
    return [list(train(trial, tiny, material())) for trial in search.trials(RUN)]


def test_it_tells_one_run_of_all_steps(events):
    (started,) = of(Started, events)
    assert started.steps == 12 and started.test_images == 12
    steps = of(Stepped, events)
    assert [event.step for event in steps] == list(range(1, 13))
    assert steps[0].eta_s > 0 and steps[-1].eta_s == 0
    assert [event.step for event in of(Evaluated, events)] == [2, 4, 6, 8, 10, 12]
    assert not of(Checkpointed, events)
    assert type(events[-1]) is Finished and events[-1].unchanged


def test_the_cost_is_said_before_and_after_the_first_validation(events):
    plan, duration = [event.text for event in of(Noticed, events)]
    assert "tries 3 settings of lr, " in plan and "on 9 validation images: 12 steps" in plan
    assert "the whole search takes about" in duration
    assert events.index(of(Noticed, events)[1]) < events.index(of(Stepped, events)[3])


def test_every_trial_is_told_and_is_the_run_it_says(events, alone):
    tried = of(Tried, events)
    assert [(event.trial, event.trials) for event in tried] == [(1, 3), (2, 3), (3, 3)]
    for event, run in zip(tried, alone, strict=True):
        best = [e for e in of(Evaluated, run) if e.best][-1]
        assert (event.accuracy, event.loss, event.images) == (best.accuracy, best.loss, 9)
        assert from_json(event.to_json()) == event


def test_the_best_trial_is_kept_bit_for_bit_and_the_command_repeats_it(events, alone):
    tried = of(Tried, events)
    best = max(tried, key=lambda event: (event.accuracy, -event.loss))
    kept, same = last(events), last(alone[best.trial - 1])
    assert [event for event in tried if event.best][-1] == best
    one, other = kept.tensors(), same.tensors()
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert kept.card.command() == same.card.command()
    for field in ("curve", "accuracy_curve", "val_accuracy", "test_accuracy", "test_images"):
        assert getattr(kept.card, field) == getattr(same.card, field)
    assert (
        events[-1].test_accuracy
        == kept.card.test_accuracy
        == alone[best.trial - 1][-1].test_accuracy
    )


def test_the_card_says_how_its_settings_were_chosen(events):
    card = last(events).card
    assert card.tuned == "best of 3 settings on 9 validation images"
    assert events[-1].file_bytes == len(of(Improved, events)[-1].adapter)


def test_no_file_before_the_last_knows_a_test_score(events):
    cards = [AdapterFile.parse(event.adapter).card for event in of(Improved, events)]
    assert all(card.test_accuracy is None for card in cards[:-1])
    assert cards[-1].test_accuracy is not None


def test_what_stands_saved_is_never_worse_than_before(events):
    accuracies = [AdapterFile.parse(e.adapter).card.val_accuracy for e in of(Improved, events)]
    assert accuracies == sorted(accuracies)


@pytest.mark.parametrize("moment", [1, 3, 4, 6, 9])
def test_stopped_it_keeps_the_best_so_far_and_looks_at_no_test_image(moment, tiny):
    told: list[Event] = []
    for event in train(RUN, tiny, material(), stop=lambda: len(of(Stepped, told)) >= moment):
        told.append(event)
    assert type(told[-1]) is Stopped and told[-1].test_accuracy is None
    assert len(of(Stepped, told)) <= moment + 1
    card = last(told).card
    assert card.test_accuracy is None and 0 < card.trials <= 3
    assert card.val_accuracy == max(event.accuracy for event in of(Evaluated, told))


def failing_in(trial: int, monkeypatch) -> None:
    """The trial of that number breaks after its first step."""
    broken = search.trials(RUN)[trial - 1]
    before = tune.Search._round

    def round(self, run, part):
        if run == broken:
            raise TrainingFailed("the loss is not finite at step 2.")
        return (yield from before(self, run, part))

    monkeypatch.setattr(tune.Search, "_round", round)


def test_a_trial_that_breaks_ends_no_search(tiny, monkeypatch):
    failing_in(2, monkeypatch)
    events = list(train(RUN, tiny, material()))
    broken = of(Tried, events)[1]
    assert (broken.accuracy, broken.loss, broken.best) == (None, None, False)
    assert "not finite" in broken.problem and from_json(broken.to_json()) == broken
    assert [event.step for event in of(Stepped, events)] == [1, 2, 3, 4, 9, 10, 11, 12]
    assert type(events[-1]) is Finished


def test_where_every_trial_breaks_the_first_ones_sentence_is_told(tiny):
    run = replace(RUN, recipe=Recipe(epochs=2, batch=12), method="full", knobs={})
    with pytest.raises(TrainingFailed, match="would take"):
        list(train(run, tiny, material(), memory_share=1e-9))


def few(val: int = 2):
    """Too few validation images to choose by, and six training images."""
    return replace(material(val=val), train=coloured(6, 0))


def test_in_folds_the_best_settings_are_trained_on_all_images_in_the_end(tiny):
    run = replace(RUN, recipe=Recipe(epochs=2, batch=2))
    events = list(train(run, tiny, few()))
    (started,) = of(Started, events)
    assert started.steps == 3 * 2 * 4 + 6 == of(Stepped, events)[-1].step
    assert (started.train_images, started.val_images) == (6, 2)
    tried = of(Tried, events)
    assert all(event.images == 6 for event in tried)
    best = max(tried, key=lambda event: (event.accuracy, -event.loss))
    kept = last(events)
    again = last(list(train(search.trials(run)[best.trial - 1], tiny, few())))
    assert kept.card.tuned == "best of 3 settings on 6 training images, held out in 2 parts"
    assert kept.card.command() == again.card.command()
    one, other = kept.tensors(), again.tensors()
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert events[-1].test_accuracy == kept.card.test_accuracy == again.card.test_accuracy
    assert events[-1].file_bytes == len(of(Improved, events)[-1].adapter)


@pytest.mark.parametrize("moment", [1, 5, 9, 13, 26])
def test_stopped_in_folds_it_keeps_something(moment, tiny):
    told: list[Event] = []
    run = replace(RUN, recipe=Recipe(epochs=2, batch=2))
    for event in train(run, tiny, few(), stop=lambda: len(of(Stepped, told)) >= moment):
        told.append(event)
    assert type(told[-1]) is Stopped and last(told).card.test_accuracy is None


def test_it_goes_on_from_an_adapter_with_that_ones_knobs(events, tiny):
    origin = last(events)
    run = going_on(replace(RUN, method="", knobs={}, origin=Origin("first")), origin)
    again = list(train(run, tiny, material(), origin=origin))
    card = last(again).card
    assert card.origin == "first" and card.trials == 3 and card.knobs == origin.card.knobs
    assert "scale" not in of(Tried, again)[0].settings


def test_methods_that_survey_and_heads_alone_are_tuned_too(tiny):
    for method, knobs in (("spt_lora", {"rank": 2, "budget": 5.0}), ("linear", {})):
        run = replace(RUN, method=method, knobs=knobs, tune=2)
        assert type(list(train(run, tiny, material()))[-1]) is Finished


def test_a_search_has_no_state_to_go_on_from(tiny):
    with pytest.raises(CannotResume, match="in its middle"):
        list(train(RUN, tiny, material(), state=b"state"))


def test_trials_told_again_after_an_interruption_stand_once(events):
    assert trials_of([*events, *events]) == of(Tried, events)


@pytest.mark.parametrize("tune", [1, -1, 101, 2.5, "8", True, None])
def test_a_number_of_trials_that_cannot_be_is_a_sentence(tune):
    with pytest.raises(BadValue, match="tune takes"):
        RunSpec(tune=tune)
