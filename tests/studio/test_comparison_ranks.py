"""Mean ranks of a comparison, over its datasets and seeds."""

import pytest

from peft_demo.studio.comparison import ranks, rows


def line(method: str, accuracy: float | None, data: str, seed: int = 0, **more) -> dict:
    costs = dict.fromkeys(rows.AVERAGED, 1.0)
    scores = {"test_accuracy": accuracy, "val_accuracy": accuracy, "test_images": 50}
    return {"method": method, "data": data, "seed": seed, **costs, **scores, **more}


def compared(lines) -> dict[str, float | None]:
    return {row["method"]: row["rank"] for row in rows.summary(lines)}


def test_equal_ones_share_their_ranks():
    accuracies = {"a": {"x": 0.9, "y": 0.5}, "b": {"x": 0.8, "y": 0.5}, "c": {"x": 0.7, "y": 0.9}}
    assert ranks.mean_ranks(accuracies) == {"a": 1.75, "b": 2.25, "c": 2.0}
    assert ranks.mean_ranks({"a": {"x": 1.0}}) == {}
    assert ranks.mean_ranks({"a": {"x": 1}, "b": {"y": 1}}) == {}


@pytest.mark.parametrize(("methods", "q"), [(2, 1.960), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_the_table(methods, q):
    """Demšar, table 5 (a): q at 5 %."""
    expected = q * (methods * (methods + 1) / (6 * 9)) ** 0.5
    assert ranks.critical_difference(methods, 9) == pytest.approx(expected, abs=2e-3)


def test_every_seed_of_every_set_is_a_task():
    lines = [
        line("lora", 0.9, "digits"),
        line("lora", 0.5, "signs"),
        line("lora", 0.8, "digits", 1),
    ]
    lines += [line("arc", 0.8, "digits"), line("arc", 0.6, "signs"), line("arc", 0.7, "digits", 1)]
    assert compared(lines) == pytest.approx({"lora": 4 / 3, "arc": 5 / 3})
    words = rows.legend(lines, 2)
    assert "over the 3 pairs" in words and "less than 1.1 apart" in words  # 1.96 √(6 / 18)


def test_only_what_all_methods_ended_counts_while_a_table_fills():
    lines = [line("lora", 0.9, "digits"), line("lora", 0.5, "signs"), line("arc", 0.8, "digits")]
    lines += [line("arc", None, "signs", error="no memory.")]
    assert compared(lines) == {"lora": 1.0, "arc": 2.0}
    assert compared([*lines, line("ssf", None, "signs", error="no memory.")])["ssf"] is None


@pytest.mark.parametrize(
    "lines",
    [
        [line("lora", 0.9, "digits"), line("arc", 0.8, "digits")],
        [line("lora", 0.9, "digits"), line("lora", 0.8, "signs")],
        [line("lora", 0.9, "digits"), line("arc", 0.8, "signs")],
        [line("lora", None, "digits"), line("arc", None, "signs")],
    ],
    ids=["one set", "one method", "no task of both", "nothing tested"],
)
def test_where_nothing_is_ranked_nothing_is_said(lines):
    assert set(compared(lines).values()) == {None}
    assert ranks.legend(lines) == ""
