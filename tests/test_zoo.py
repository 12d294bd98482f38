"""The adapters that come with the project: there, small, and as good as their cards say."""

import pytest

from peft_demo.contracts.specs import RunSpec
from peft_demo.studio import Studio
from peft_demo.studio.adapter_store import SHIPPED

METHODS = {"lora", "arc", "rlrr", "hta", "aoft_lora", "spt_lora", "bi_lora", "linear"}


@pytest.fixture
def studio(tmp_path) -> Studio:
    return Studio(home=tmp_path, device="cpu")


def test_each_can_answer_and_all_are_small(studio):
    entries = studio.zoo.entries()
    assert not [e.refusal for e in entries if e.refusal]
    assert {e.card.method for e in entries} >= METHODS
    assert {"digits", "shapes", "textures"} == {e.card.spec["data"]["name"] for e in entries}
    assert any(e.card.knobs.get("head_bits") == 1 for e in entries)
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 3_000_000


def test_each_was_trained_by_a_command_that_can_be_repeated(studio):
    for entry in studio.zoo.entries():
        run = RunSpec.from_json(entry.card.spec)
        assert run.data.source == "bundled" and run.command().startswith(
            "python -m peft_demo train --method "
        )
        assert entry.card.test_accuracy > 1.5 / len(entry.card.classes)


@pytest.mark.parametrize("id", ["lora-digits-s0", "arc-shapes-s0"])
def test_it_is_as_accurate_as_its_card_says(id, studio):
    card = studio.zoo.card(id)
    score = studio.answers.verify(id)
    assert score.images == card.test_images
    assert score.accuracy == pytest.approx(card.test_accuracy, abs=0.01)
