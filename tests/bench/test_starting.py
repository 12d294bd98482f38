"""Starts of commands and of the page, timed beside imports."""

import pytest

from peft_demo.bench import starting
from peft_demo.bench.starting import Start
from peft_demo.contracts.errors import PeftDemoError

NOTHING = "import json"
"""A reference that takes no time."""


def silent(what, fraction=-1.0):
    pass


def test_a_command_is_timed_beside_an_import(tmp_path):
    typo = Start(("train", "--method", "lroa", "--data", "digits"), NOTHING, code=2)
    row = starting._row("typo", typo, tmp_path, 1, silent)
    assert row["seconds"] > row["reference_s"] > 0
    assert row["ratio"] == pytest.approx(row["seconds"] / row["reference_s"])
    assert starting.printed([row])[0][0::3] == ("typo", NOTHING)


def test_a_start_that_fails_is_not_timed(tmp_path):
    with pytest.raises(PeftDemoError, match=r"`zoo --nonsense` failed: .*--nonsense"):
        starting._row("zoo", Start(("zoo", "--nonsense"), NOTHING), tmp_path, 1, silent)
    with pytest.raises(PeftDemoError, match="`app --nonsense` failed"):
        starting._row("app", Start(("app", "--nonsense"), NOTHING), tmp_path, 1, silent)


@pytest.mark.slow
def test_the_page_is_timed_until_it_answers(tmp_path):
    row = starting._row("app", Start(("app", "--offline"), NOTHING), tmp_path, 1, silent)
    assert 1.0 < row["seconds"] < starting.LONGEST_S
