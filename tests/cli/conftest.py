"""Commands as a person types them, in this process, and a small set of photos to train on."""

import json
from pathlib import Path

import pytest
from PIL import Image

from peft_demo import cli

SHADES = {"dark": 40, "light": 200}
"""Class → grey value of its pictures."""


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A folder of two classes, six pictures each."""
    root = tmp_path_factory.mktemp("shades")
    for name, shade in SHADES.items():
        (root / name).mkdir()
        for i in range(6):
            Image.new("L", (24, 24), shade + 3 * i).save(root / name / f"{i}.png")
    return root


@pytest.fixture(scope="session")
def many_photos(tmp_path_factory) -> Path:
    """A folder of two classes whose pictures take seconds to look at."""
    root = tmp_path_factory.mktemp("many")
    picture = root / "picture.png"
    Image.effect_noise((64, 64), 60).save(picture)
    content = picture.read_bytes()
    picture.unlink()
    for name in SHADES:
        (root / name).mkdir()
        for i in range(10_000):
            (root / name / f"{i}.png").write_bytes(content)
    return root


@pytest.fixture
def typed(home, capfd, monkeypatch):
    """*words → (exit code, standard output, standard error)."""
    for variable in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(variable, "1")

    def run(*words) -> tuple[int, str, str]:
        code = cli.run([str(word) for word in words])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def answer(typed):
    """*words → the JSON value, which must be all of standard output, on one line."""

    def run(*words):
        code, out, err = typed(*words, "--json")
        assert code == 0, err
        assert out.endswith("\n") and out.count("\n") == 1
        return json.loads(out)

    return run


@pytest.fixture
def train(photos):
    """*more → the words of a short training run on the photos."""

    def words(*more, method="linear") -> list:
        short = ["--shots", 2, "--size", 32, "--epochs", 2]
        return ["train", "--data", photos, "--method", method, *short, *more]

    return words
