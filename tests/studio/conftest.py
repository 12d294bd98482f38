"""A home of its own for each test, a few coloured photos, and one adapter trained on them for the
whole session."""

from pathlib import Path

import pytest
from PIL import Image

from peft_demo.contracts.events import Finished
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.studio import Studio

COLOURS = {"blue": (20, 40, 220), "green": (30, 200, 40), "red": (220, 30, 30)}


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A folder of three class folders with eight pictures each, no two the same."""
    root = tmp_path_factory.mktemp("photos")
    for name, (r, g, b) in COLOURS.items():
        (root / name).mkdir()
        for i in range(8):
            image = Image.new("RGB", (32, 32), (r, g, b))
            image.paste((12 * i, 255 - 12 * i, 12 * i), (i, 2 * i, i + 8, 2 * i + 8))
            image.save(root / name / f"{i}.png")
    return root


@pytest.fixture(scope="session")
def open_studio():
    """home → a studio on the CPU, without a shipped zoo."""

    def make(home: Path, **more) -> Studio:
        return Studio(
            **{"home": home, "allow_local_paths": True, "device": "cpu", "shipped": home / "none"}
            | more
        )

    return make


@pytest.fixture
def studio(tmp_path, open_studio) -> Studio:
    return open_studio(tmp_path / "home")


@pytest.fixture(scope="session")
def short(photos):
    """method, epochs → a run of a second or so: 32 px, two shots, one step an epoch."""

    def make(method: str = "linear", epochs: int = 2, **more) -> RunSpec:
        data = DataSpec("folder", str(photos), shots=2)
        return RunSpec(
            **{"method": method, "data": data, "size": 32, "recipe": Recipe(epochs=epochs)} | more
        )

    return make


@pytest.fixture(scope="session")
def finish():
    """studio, run → the events of the run, once it has ended."""

    def wait(studio: Studio, run: str) -> list:
        assert studio.training.wait(60)
        return studio.training.follow(run)[0]

    return wait


@pytest.fixture(scope="session")
def adapter_file(open_studio, short, finish, tmp_path_factory) -> Path:
    """A LoRA adapter for the bundled backbone at 32 px, trained through the studio."""
    studio = open_studio(tmp_path_factory.mktemp("trained"))
    *_, last = finish(studio, studio.training.start(short("lora", epochs=8)))
    assert isinstance(last, Finished), last
    return studio.zoo.file(studio.training.runs()[0].adapter)
