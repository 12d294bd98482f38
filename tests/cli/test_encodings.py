"""Answers to a pipe or a file of any encoding; a reader that has gone (case F24)."""

import os
import subprocess
import sys

import pytest
from PIL import Image

ENCODINGS = ["cp1252", "ascii", "cp932", "latin-1:strict", "utf-8:strict"]


def typed(home, *words, encoding="utf-8", **options) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PEFT_DEMO_HOME": str(home)}
    command = [sys.executable, "-m", "peft_demo", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, **options)


@pytest.fixture(scope="session")
def odd_names(tmp_path_factory):
    """Classes whose names few encodings hold."""
    root = tmp_path_factory.mktemp("odd names")
    for label, shade in (("猫 ✓", 40), ("café 🐕", 200)):
        (root / label).mkdir()
        for i in range(6):
            Image.new("L", (24, 24), shade + 3 * i).save(root / label / f"{i}.png")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_check_answers_in_any_encoding(home, odd_names, encoding):
    done = typed(home, "check", odd_names, encoding=encoding)
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert b"ready to train" in done.stdout


@pytest.mark.slow
def test_train_and_predict_in_cp1252(home, train, odd_names):
    """F24: the tick after training was a traceback, and the answer was lost."""
    words = [odd_names if word == train()[2] else word for word in train()]
    done = typed(home, *words, "--out", home / "a.safetensors", encoding="cp1252")
    assert done.returncode == 0, done.stderr
    assert b"unchanged \\u2713 sha256" in done.stdout
    picture = odd_names / "猫 ✓" / "0.png"
    done = typed(home, "predict", home / "a.safetensors", picture, encoding="cp1252")
    assert done.returncode == 0, done.stderr
    assert b"\\u732b" in done.stdout or "café".encode("cp1252") in done.stdout


@pytest.mark.slow
def test_a_reader_that_has_gone_is_no_traceback(home):
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PEFT_DEMO_HOME": str(home)}
    command = [sys.executable, "-m", "peft_demo", "zoo"]
    with os.fdopen(writing, "wb") as out:
        done = subprocess.run(command, env=environment, stdout=out, stderr=subprocess.PIPE)
    assert done.returncode == 1 and done.stderr == b""
