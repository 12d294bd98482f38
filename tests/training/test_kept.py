"""Which state of a run is kept: chance on a few validation images decides nothing."""

import pytest

from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.training.kept import clearly_worse


@pytest.mark.parametrize(
    ("accuracy", "highest", "images", "worse"),
    [
        (0.70, 0.73, 96, False),
        (0.40, 0.73, 96, True),
        (0.95, 1.00, 20, False),
        (0.95, 1.00, 2000, True),
        (0.73, 0.73, 96, False),
        (1.00, 1.00, 4, False),
        (0.00, 0.00, 4, False),
        (0.75, 1.00, 4, False),
        (0.50, 1.00, 4, True),
    ],
)
def test_only_what_is_more_than_chance_tells_against_the_last_state(
    accuracy, highest, images, worse
):
    assert clearly_worse(accuracy, highest, images) is worse


def test_a_run_of_before_keeps_what_it_kept_then():
    """Its file does not say which state; the command that repeats it does."""
    plain = RunSpec().to_json()
    del plain["recipe"]["keep"]
    spec = RunSpec.from_json(plain)
    assert spec.recipe == Recipe(keep="best")
    assert "--keep best" in spec.command() and "--keep" not in RunSpec().command()
    assert spec.to_json() == plain
