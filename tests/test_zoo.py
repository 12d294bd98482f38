"""The adapters that come with the project: there, small, and as good as their cards say."""

import pytest
import torch

from peft_demo.adapters import AdapterFile
from peft_demo.contracts.specs import RunSpec
from peft_demo.data.probes import probe_pictures
from peft_demo.inference import Attached
from peft_demo.inference.runner import ModelRunner
from peft_demo.inference.slips import slips
from peft_demo.inference.verification import ROUNDING, TOLERANCE
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


def test_each_answers_the_probe_pictures_as_it_did(studio):
    for id in [entry.id for entry in studio.zoo.entries()]:
        result = studio.zoo.verify(id)
        assert result.agrees and result.same_answers and not result.notes
        assert result.difference < 0.01 * result.tolerance


@pytest.mark.slow
def test_every_slip_lies_beyond_the_tolerance_and_half_precision_within(studio):
    """But for resizing by Lanczos or box filters, which hardly differ from bicubic."""
    shares = [measured for entry in studio.zoo.entries() for measured in shares_of(studio, entry)]
    slipped, honest = zip(*shares, strict=True)
    assert min(slipped) > TOLERANCE > max(honest) > ROUNDING


def shares_of(studio, entry):
    """(difference of a slip, of bf16) as shares of the spread, for each of the slips."""
    file = AdapterFile.open(SHIPPED / f"{entry.id}.safetensors")
    backbone, adapter = studio.zoo._predictor.load(file)
    kept = torch.tensor(file.probes.logits)
    runner = ModelRunner.of(Attached.of(backbone, adapter, file.card))
    pictures = probe_pictures()

    def share(rows):
        return (torch.stack(rows) - kept).abs().max().item() / file.probes.spread

    with torch.autocast("cpu", torch.bfloat16):
        half = share([runner.own(picture) for picture in pictures])
    for slip in slips(runner):
        if not any(word in slip.words for word in ("squeezed to a square, bic", "lanczos", "box")):
            squares = [slip.prepare(picture, runner.size) for picture in pictures]
            yield share([runner.of_square(one, slip.normalisation) for one in squares]), half


@pytest.mark.parametrize("id", ["lora-digits-s0", "arc-shapes-s0"])
def test_it_is_as_accurate_as_its_card_says(id, studio):
    card = studio.zoo.card(id)
    score = studio.answers.verify(id)
    assert score.images == card.test_images
    assert score.accuracy == pytest.approx(card.test_accuracy, abs=0.01)
