"""The learning rate climbs, peaks at one, and falls to nearly nothing."""

from peft_demo.training.schedule import factor


def test_warm_up_then_cosine():
    rates = [factor(step, 100, 0.1) for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and 0 < rates[0] < 0.2
    assert max(rates) == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] < 0.001


def test_without_warm_up_it_starts_at_the_peak():
    assert factor(0, 10, 0.0) == 1.0


def test_one_step_is_a_full_step():
    assert factor(0, 1, 0.1) == 1.0
