"""Comparisons of a home: kept on disk, priced, run in a process of their own, stopped, gone on."""

import json
import time

import pytest

from peft_demo.contracts.comparison import BEST, TIED, ComparisonSpec
from peft_demo.contracts.errors import (
    BadValue,
    CannotResume,
    NotAllowed,
    PeftDemoError,
    UnknownName,
)
from peft_demo.contracts.run_state import RunState
from peft_demo.contracts.specs import DataSpec, Recipe
from peft_demo.studio.comparison import price
from peft_demo.studio.comparison.record import ComparisonRecords
from peft_demo.studio.comparison.results import Results
from peft_demo.studio.comparison.table import curves, table


def spec_of(*methods: str, **more) -> ComparisonSpec:
    given = {"shots": (2,), "seeds": (0,), "size": 32, "recipe": Recipe(epochs=1)} | more
    return ComparisonSpec(methods, (DataSpec(),), **given)


def line(method: str, right: str, seed: int = 0, shots: int = 2, **more) -> dict:
    costs = dict.fromkeys(("trainable", "head", "file_bytes", "memory_mb", "saved_mb"), 1000)
    return {
        "id": f"{method}-{seed}-{shots}",
        "method": method,
        "data": "digits",
        "seed": seed,
        "shots": shots,
        "right": right,
        "backbone": "vit",
        "size": 32,
        "test_images": len(right),
        "test_accuracy": right.count("1") / len(right),
        "val_accuracy": 0.5,
        "val_images": 10,
        "seconds": 12.0,
        "images_per_second": 16.0,
        "curve": [[5, 2.0, 0.25], [10, 1.0, 0.5]],
        "spec": {"recipe": {"batch": 16}},
        **costs,
        **more,
    }


LINES = [
    line("lora", "1" * 20),
    line("linear", "1" * 15 + "0" * 5),
    line("arc", "0" * 20),
    line("lora", "1" * 10 + "0" * 10, shots=16),
    {**line("hta", "1" * 20), "error": "no memory."},
]


def test_lines_become_a_table_with_intervals_and_marks():
    spec = spec_of("linear", "lora", "arc", "hta", shots=(2, 16))
    at = table(spec, LINES, 2)
    assert [row.method for row in at.rows] == ["linear", "lora", "arc", "hta"]
    linear, lora, arc, hta = at.rows
    assert [row.cells["digits"].mark for row in (linear, lora, arc)] == [TIED, BEST, ""]
    assert linear.cells["digits"].accuracy == 0.75 and linear.cells["digits"].interval
    assert linear.cells["digits"].seeds == 1 and linear.mean is None
    assert hta.cells == {} and (hta.failed, hta.problem) == (1, "no memory.")
    assert "McNemar" in at.legend
    assert [row.method for row in table(spec, LINES, 16).rows] == ["lora"]
    assert table(spec, [], 2).rows == ()


def test_a_cell_has_the_curves_of_its_seeds():
    lines = [line("lora", "1", seed=1), *LINES]
    assert [curve.seed for curve in curves(lines, "lora", "digits", 2)] == [0, 1]
    assert curves(LINES, "lora", "digits", 2)[0].points == ((5, 2.0, 0.25), (10, 1.0, 0.5))
    assert curves(LINES, "hta", "digits", 2) == []


def test_the_time_goes_by_what_has_run():
    """10 steps of 16 images at 16 images a second are 10 of a run's 12 seconds."""
    spec = spec_of("lora", seeds=(0, 1), recipe=Recipe(epochs=5))
    assert price.seconds(spec, [4], "vit", 32, LINES[:1]) == pytest.approx(2 * (2 + 5 * 2 * 4 / 16))
    other = spec_of("arc", seeds=(0, 1), recipe=Recipe(epochs=5), workers=2)
    assert price.seconds(other, [4], "vit", 32, LINES[:1]) == pytest.approx(2 + 5 * 2 * 4 / 16)
    assert price.seconds(spec, [4], "vit", 64, LINES[:1]) == pytest.approx(4 * 2 * (2 + 2.5))
    assert price.seconds(spec, [4], "other", 32, LINES) is None
    assert price.seconds(spec, [4], "vit", 32, LINES[-1:]) is None


def test_a_comparison_is_kept_and_found_again(tmp_path):
    records = ComparisonRecords(tmp_path)
    spec = spec_of("linear", "lora")
    first, second = records.create(spec), records.create(spec)
    assert first.id != second.id
    Results(first.results).add(LINES[0])
    Results(first.results).add(LINES[-1])
    card = ComparisonRecords(tmp_path).record(first.id).card()
    assert (card.spec, card.state, card.done, card.failed) == (spec, RunState.STOPPED, 1, 1)
    first.end("no network.")
    assert (first.card().state, first.card().problem) == (RunState.FAILED, "no network.")
    first.go_on()
    with first.lock:
        assert records.record(first.id).card().state is RunState.RUNNING
    first.end()
    assert first.card().state is RunState.DONE
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "spec.json").write_text('{"started": 1}')
    assert {record.id for record in records.records()} == {first.id, second.id}
    for id in ("odd", "../x", "gone"):
        with pytest.raises(UnknownName):
            records.record(id)


def test_what_is_wrong_is_said_before_anything_starts(studio):
    for wrong in (spec_of("lroa"), spec_of("lora:rnk=2"), spec_of("lora", size=33)):
        with pytest.raises(PeftDemoError):
            studio.comparisons.start(wrong)
    with pytest.raises(BadValue):
        spec_of()
    assert studio.comparisons.comparisons() == []


def test_where_nothing_starts_one_may_look(studio):
    record = ComparisonRecords(studio.home.comparisons).create(spec_of("linear"))
    studio.comparisons.starts = False
    assert studio.comparisons.comparisons() == []
    record.end()
    assert [card.id for card in studio.comparisons.comparisons()] == [record.id]
    with pytest.raises(NotAllowed):
        studio.comparisons.start(spec_of("linear"))


@pytest.mark.slow
def test_a_comparison_runs_in_line_stops_and_goes_on_after_a_restart(studio, open_studio):
    comparisons = studio.comparisons
    first = comparisons.start(spec_of("linear", "lora:rank=2", seeds=(0, 1)))
    second = comparisons.start(spec_of("lora", recipe=Recipe(epochs=1000)))
    assert [card.state for card in comparisons.comparisons()] == [
        RunState.QUEUED,
        RunState.RUNNING,
    ]
    assert comparisons.wait(90)
    card = next(card for card in comparisons.comparisons() if card.id == first)
    assert (card.state, card.done) == (RunState.DONE, 4), card
    assert len(comparisons.curves(first, "linear", "digits", 2)) == 2
    assert comparisons.cost(card.spec).seconds > 0
    with pytest.raises(CannotResume):
        comparisons.go_on(first)

    wait_for(lambda: "lora" in comparisons.comparisons()[0].doing)
    process = comparisons._process
    studio.close()
    assert process.wait(20) and process._process.poll() is not None
    again = open_studio(studio.home.root).comparisons
    assert again.comparisons()[0].state is RunState.STOPPED
    again.go_on(second)
    again.stop(second)
    assert again.wait(20)

    kept = again._records.record(first).results.read_text().splitlines()
    assert len({json.loads(text)["id"] for text in kept}) == len(kept) == 4


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
