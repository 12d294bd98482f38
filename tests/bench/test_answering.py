"""Swapping, loading and answering, timed on a small backbone."""

from pathlib import Path

import pytest
import torch

from peft_demo.bench import answering, huggingface, switching, timing
from peft_demo.vit import find


@pytest.fixture
def alone(monkeypatch):
    """As if huggingface/peft were not installed."""
    for room in (answering, switching):
        monkeypatch.setattr(room, "build_peft", lambda *_: None)


def test_swapping_and_loading(home, alone):
    rows = switching.switch(find("", home), 32, turns=2)
    assert [row["what"] for row in rows] == [
        *(f"choose among {n}" for n in (1, 4, 16)),
        "load with every check",
        "merge",
    ]
    assert all(0 < row["ms"] < 1000 for row in rows)
    assert rows[2]["ms"] < rows[3]["ms"], "a resident adapter is there before one from disk"


def test_answers_are_multiples_of_the_frozen_model(home, alone):
    rows = answering.predict(find("", home), 32, batch=4, turns=2)
    assert [row["what"] for row in rows] == [
        "frozen",
        "attached",
        "merged",
        "mixed 1",
        "mixed 4",
    ]
    assert rows[0]["ratio"] == 1.0 and all(row["ratio"] > 0 for row in rows)


def test_beside_peft(home):
    pytest.importorskip("peft")
    rows = switching.switch(find("", home), 32, turns=1) + answering.predict(
        find("", home), 32, batch=2, turns=1
    )
    assert {"peft_ms", "peft_ratio"} <= {name for row in rows for name in row}
    assert len(timing.printed(rows)[0]) == len(timing.HEAD)


def test_peft_stands_on_the_device_it_is_given():
    """Adapters that are added later as well; "meta" stands in for a GPU."""
    pytest.importorskip("peft")
    other = huggingface.build_peft(find("", Path("nowhere")), 32, 10, 2, torch.device("meta"))
    assert {p.device.type for p in other.model.parameters()} == {"meta"}
