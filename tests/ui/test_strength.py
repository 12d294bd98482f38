"""Accuracy over strength, in words, drawn and as a table."""

from peft_demo.contracts.strength import STEPS, AtStrength, best
from peft_demo.ui.classify.strength import draw_curve


def curve(*accuracies: float) -> list[AtStrength]:
    return [AtStrength(s, a, 20) for s, a in zip(STEPS, accuracies, strict=True)]


def test_the_best_is_told_and_each_has_a_row():
    html = draw_curve("<b>lora", curve(0.5, 0.7, 0.9, 0.85, 0.85, 0.8, 0.7))
    assert "at 0.5: 18 of 20 right" in html
    assert html.count("<tr>") == 1 + len(STEPS) and "<svg" in html
    assert "<b>lora" not in html


def test_of_equals_the_one_next_to_the_trained_adapter_is_the_best():
    flat = curve(0.5, 0.9, 0.9, 0.9, 0.9, 0.9, 0.7)
    assert best(flat).strength == 1
    assert "No other strength" in draw_curve("lora", flat)
