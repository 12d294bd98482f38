"""What the page asks for becomes jobs, and what they do is told a line at a time."""

import io
import json

from peft_demo.bench.from_page import Told, do, jobs
from peft_demo.contracts.comparison import ComparisonSpec
from peft_demo.contracts.run_state import RunState
from peft_demo.contracts.specs import DataSpec
from peft_demo.studio.comparison.record import ComparisonRecords


def test_every_cell_of_the_grid_is_a_job_and_neighbours_share_images(tiny):
    data = (DataSpec(), DataSpec(name="shapes"))
    spec = ComparisonSpec(("linear", "lora:rank=2"), data, shots=(4, 2), seeds=(0, 1), size=32)
    wanted = jobs(spec, tiny)
    cells = [(job.run.data.shots, job.run.data.name, job.run.seed, job.word) for job in wanted]
    assert len(cells) == len(set(cells)) == spec.runs == 16
    assert cells == sorted(cells)


def test_what_is_done_is_told_without_the_count_that_the_page_has():
    out = io.StringIO()
    told = Told(out)
    told.report("[3/8] lora, about 2 min left", 0.25)
    told.report("[3/8] lora, about 2 min left", 0.26)
    told.report("decoding")
    lines = [json.loads(line)["doing"] for line in out.getvalue().splitlines()]
    assert lines == ["lora, about 2 min left, 25 %", "decoding"]


def test_a_comparison_that_cannot_begin_ends_with_the_reason(home):
    spec = ComparisonSpec(("linear",), (DataSpec(),), size=33)
    record = ComparisonRecords(home / "comparisons").create(spec)
    do(record, "cpu", Told(io.StringIO()))
    card = record.card()
    assert card.state is RunState.FAILED and "33" in card.problem
