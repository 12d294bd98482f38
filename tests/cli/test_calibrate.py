"""`calibrate`: an adapter of an earlier version learns how much its answers are worth."""

from dataclasses import replace

import pytest
from PIL import Image

from peft_demo.adapters import AdapterFile
from peft_demo.adapters.file import seal
from peft_demo.contracts.doubt import LIMIT, STEPS
from peft_demo.studio.adapter_store import SHIPPED

SHIPPED_ONE = SHIPPED / "linear-digits-s0.safetensors"


@pytest.fixture
def earlier(tmp_path):
    """A file as earlier versions wrote it."""
    file = AdapterFile.open(SHIPPED_ONE)
    tensors = file.tensors()
    del tensors["class_means"]
    path = tmp_path / "earlier.safetensors"
    path.write_bytes(seal(tensors, replace(file.card, doubt=(), temperature=None)))
    return path


@pytest.fixture
def noise(tmp_path):
    path = tmp_path / "noise.png"
    Image.effect_noise((64, 64), 90).save(path)
    return path


def test_an_earlier_file_answers_and_does_not_doubt(answer, earlier, noise):
    (said,) = answer("predict", earlier, noise)
    assert said["doubt"] is None and said["none_of_these"] is False


@pytest.mark.slow
def test_afterwards_it_says_that_noise_is_none_of_the_digits(answer, typed, earlier, noise):
    out = earlier.with_name("now.safetensors")
    value = answer("calibrate", earlier, "--out", out)
    assert len(value["doubt"]) == STEPS and 0.25 <= value["temperature"] <= 4
    (said,) = answer("predict", out, noise)
    assert said["doubt"] > LIMIT and said["none_of_these"]
    _, printed, _ = typed("predict", out, noise)
    assert "none of these, most like" in printed
    before, after = AdapterFile.open(earlier), AdapterFile.open(out)
    assert before.card.test_accuracy == after.card.test_accuracy
    assert after.header.file_bytes - before.header.file_bytes < 3_000


def test_images_of_other_classes_teach_it_nothing(typed, earlier):
    code, _, err = typed("calibrate", earlier, "--data", "shapes", "--out", earlier)
    assert code == 2 and "not of the adapter's classes" in err
