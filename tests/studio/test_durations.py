"""How long a run would take is told by earlier ones like it, or not at all."""

import pytest

from peft_demo.contracts.events import Failed, Finished, Stopped
from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.studio.durations import estimated
from peft_demo.studio.runs import Runs

RUN = RunSpec(recipe=Recipe(batch=10))


@pytest.fixture
def runs(tmp_path) -> Runs:
    return Runs(tmp_path)


def ended(runs: Runs, run: RunSpec = RUN, seconds: float = 12.0, kind=Finished) -> None:
    """A run of 100 steps at 100 images a second, so 10 s of learning."""
    record = runs.create(run)
    record.journal.append(
        kind(100, 100, 0.5, 0.5, 10, seconds, 100.0, 5.0, 5, 2, 100, "f" * 64, True)
    )
    record.lock.release()


def test_learning_goes_with_the_steps_and_the_rest_stays(runs):
    ended(runs)
    assert estimated(RUN, 100, runs.records()) == pytest.approx(12)
    assert estimated(RUN, 300, runs.records()) == pytest.approx(32)


def test_the_latest_three_are_asked_and_the_middle_one_is_told(runs):
    for seconds in (99, 12, 14, 40):
        ended(runs, seconds=seconds)
    assert estimated(RUN, 100, runs.records()) == pytest.approx(14)


@pytest.mark.parametrize(
    "other",
    [
        RunSpec("arc", recipe=RUN.recipe),
        RunSpec(knobs={"rank": 4}, recipe=RUN.recipe),
        RunSpec(size=32, recipe=RUN.recipe),
        RunSpec(backbone="other", recipe=RUN.recipe),
        RunSpec(recipe=Recipe(batch=20)),
    ],
)
def test_runs_of_another_kind_say_nothing(runs, other):
    ended(runs, other)
    assert estimated(RUN, 100, runs.records()) is None


def test_runs_that_did_not_end_say_nothing(runs):
    ended(runs, kind=Stopped)
    record = runs.create(RUN)
    record.journal.append(Failed("no"))
    assert estimated(RUN, 100, runs.records()) is None
