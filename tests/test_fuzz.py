"""A small share of the mutated input that `python -m tests.fuzz` tries."""

import pytest
from fuzz.runner import kinds, run


@pytest.mark.filterwarnings("ignore")  # of libraries, about what they were given
@pytest.mark.parametrize("name", sorted(kinds()))
def test_mutated_input_is_refused_in_a_sentence_or_sound(name):
    kind = kinds()[name]
    report = run(kind, kind.share, seed=0)
    assert report.outcomes.total() >= kind.share and not report.wrong, "\n".join(report.lines())
