"""Which methods a table cannot tell from its best, by the images that both have seen."""

import pytest

from peft_demo.bench import comparison
from peft_demo.contracts.paired import Paired
from peft_demo.studio.comparison import best, rows


def line(method: str, right: str, seed: int = 0, data: str = "digits") -> dict:
    """A run with a digit for every test image: 1 where it was right."""
    run = {"method": method, "data": data, "seed": seed, "right": right}
    return {**run, "test_accuracy": right.count("1") / len(right)}


def without_images(method: str, *accuracies: float) -> list[dict]:
    """Runs of an older results file, one a seed."""
    runs = [line(method, "1", seed) for seed in range(len(accuracies))]
    for run, accuracy in zip(runs, accuracies, strict=True):
        del run["right"]
        run["test_accuracy"] = accuracy
    return runs


def marks(lines, column="digits") -> dict[str, str]:
    return {method: gap.mark for method, gap in best.gaps(lines)[column].items()}


def test_the_images_of_all_seeds_are_pooled_pair_by_pair():
    lines = [
        line("lora", "1111100000", 0),
        line("lora", "1111111110", 1),
        line("linear", "1110010000", 0),
        line("linear", "1111000000", 1),
    ]
    gap = best.gaps(lines)["digits"]["linear"]
    paired = Paired(both=7, only_first=7, only_second=1, neither=5)
    assert (gap.best, gap.test, gap.difference) == ("lora", best.IMAGES, paired.difference)
    assert (gap.p_value, gap.interval) == (paired.p_value, paired.interval)


def test_few_images_that_differ_are_not_distinguishable_and_many_are():
    """6 images of 6 in one method's favour are p = 0.031, 5 of 5 are p = 0.062."""
    strong, weak = line("lora", "1" * 20), line("linear", "1" * 14 + "0" * 6)
    assert marks([strong, weak]) == {"lora": "≈", "linear": ""}
    near = line("linear", "1" * 15 + "0" * 5)
    assert marks([strong, near]) == {"lora": "≈", "linear": "≈"}


def test_equal_accuracies_may_be_told_apart_by_nothing():
    lines = [line("lora", "1100" * 9), line("linear", "0011" * 9)]
    assert marks(lines) == {"lora": "≈", "linear": "≈"}


def test_only_seeds_that_both_ended_are_compared():
    """A run of easy images that the other one has not done says nothing."""
    lines = [line("lora", "1" * 20, 0), line("lora", "1" * 20, 1)]
    lines += [line("linear", "1" * 14 + "0" * 6, 0)]
    lines += [{**line("linear", "0", 1), "error": "no memory."}]
    gap = best.gaps(lines)["digits"]["linear"]
    assert gap.difference == pytest.approx(0.3) and gap.p_value == pytest.approx(2 / 2**6)
    lines[2]["seed"] = 7
    assert marks(lines) == {"lora": "≈", "linear": "?"}


def test_without_images_the_differences_of_the_seeds_are_judged():
    """Student's interval of 0.10, 0.12 and 0.14: 0.12 ± 4.3027 · 0.02 / √3."""
    lines = [*without_images("lora", 0.80, 0.82, 0.84), *without_images("linear", 0.7, 0.7, 0.7)]
    gap = best.gaps(lines)["digits"]["linear"]
    assert (gap.test, gap.p_value, gap.mark) == (best.SEEDS, None, "")
    half = 4.302653 * 0.02 / 3**0.5
    assert gap.interval == pytest.approx((0.12 - half, 0.12 + half))
    lines = [*without_images("lora", 0.9, 0.7, 0.8), *without_images("linear", 0.7, 0.8, 0.7)]
    assert marks(lines)["linear"] == "≈"


def test_one_seed_without_images_tells_nothing():
    lines = [*without_images("lora", 0.9), *without_images("linear", 0.2)]
    assert marks(lines) == {"lora": "≈", "linear": "?"}
    assert "? nothing tells." in best.legend(best.gaps(lines), 1)


def test_the_mean_over_sets_is_judged_by_their_intervals_together():
    """Two sets that agree tell what neither does alone."""
    near = "1" * 15 + "0" * 5
    lines = [line("lora", "1" * 20, data=data) for data in ("digits", "signs")]
    lines += [line("linear", near, data=data) for data in ("digits", "signs")]
    alone = Paired(15, 5, 0, 0).interval
    centre, half = (alone[1] + alone[0]) / 2, (alone[1] - alone[0]) / 2
    gap = best.gaps(lines)[""]["linear"]
    assert gap.interval == pytest.approx((centre - half / 2**0.5, centre + half / 2**0.5))
    assert marks(lines)["linear"] == "≈" and marks(lines, "")["linear"] == ""
    lines.append(line("arc", "1" * 20))
    assert "arc" not in best.gaps(lines)[""], "it has no mean"


def test_marks_stand_in_the_table_and_in_the_values():
    near = line("linear", "1" * 15 + "0" * 5)
    lines = [line("lora", "1" * 20), near, line("arc", "0" * 20)]
    costs = dict.fromkeys(rows.AVERAGED, 1.0)
    compared = rows.summary(
        [{**run, **costs, "val_accuracy": None, "test_images": 20} for run in lines]
    )
    cells = [row[1] for row in comparison.printed(compared, "cpu")]
    assert cells == ["100.0 (84 to 100) ≈", "75.0 (53 to 89) ≈", "0.0 (0 to 16)"]
    assert [row["against_best"]["mark"] for row in compared] == ["≈", "≈", ""]
    assert compared[2]["sets"]["digits"]["against_best"]["difference"] == 1.0


def test_the_legend_says_which_test_how_many_seeds_and_that_the_best_is_flattered():
    lines = [line("lora", "1" * 20), line("linear", "0" * 20)]
    one = best.legend(best.gaps(lines), 1)
    assert "McNemar's exact test" in one and "That is one seed" in one
    assert "took part in choosing" in one and "best of 2 methods" in one
    assert "one seed" not in best.legend(best.gaps(lines), 3)
    old = [*without_images("lora", 0.9, 0.8), *without_images("linear", 0.5, 0.6)]
    assert "McNemar" not in best.legend(best.gaps(old), 2)
    assert "do not keep which" in best.legend(best.gaps([*old, *lines]), 2)


def test_a_table_of_one_method_has_no_marks_and_no_legend():
    columns = best.gaps([line("lora", "1" * 20)])
    assert columns == {"digits": {}} and best.legend(columns, 1) == ""
