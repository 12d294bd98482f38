"""A small share of the mutated input that `python -m tests.fuzz` tries."""

import pytest
from fuzz.runner import kinds, run

CASES = 120


@pytest.mark.parametrize("name", sorted(kinds()))
def test_mutated_input_is_refused_in_a_sentence_or_sound(name):
    report = run(kinds()[name], CASES, seed=0)
    assert report.outcomes.total() >= CASES and not report.wrong, "\n".join(report.lines())
