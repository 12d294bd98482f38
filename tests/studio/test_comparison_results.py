"""A file of lines that only grows."""

import pytest

from peft_demo.contracts.errors import CannotWrite
from peft_demo.studio.comparison.results import Results


def test_the_latest_line_of_a_run_counts(tmp_path):
    results = Results(tmp_path / "deep" / "r.jsonl")
    assert results.lines() == {}
    for value in (1, 2):
        results.add({"id": "a", "value": value})
    assert Results(results.file).lines() == {"a": {"id": "a", "value": 2}}


def test_a_line_cut_short_is_passed_over_and_swallows_nothing(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text('{"id": "a"}\n{"id": "b", "va')
    results = Results(file)
    assert set(results.lines()) == {"a"}
    results.add({"id": "c"})
    assert set(results.lines()) == {"a", "c"}


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path):
    with pytest.raises(CannotWrite):
        Results(tmp_path)
