"""What `pip install .` gives, asked from outside the clone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
SOURCES = [
    "LICENSE",
    "README.md",
    "adapters_zoo",
    "peft_demo",
    "pyproject.toml",
    "requirements.txt",
]
"""All that a build reads."""
DATA_FILES = [
    "peft_demo/py.typed",
    "peft_demo/vit/bundled/vit_mini_patch16_112.safetensors",
    "peft_demo/vit/bundled/vit_mini_patch16_112.md",
    "peft_demo/methods/index.json",
    "peft_demo/ui/icon.svg",
    "peft_demo/ui/pictures/classify.webp",
    "peft_demo/ui/pictures/train.webp",
    "peft_demo/bench/tuning.jsonl",
]
BUILD_THE_PAGE = """
from peft_demo import app
app.prepare_environment(offline=True)
page = app.page_for_this_machine("127.0.0.1", zoo=None, offline=True, allow_local_paths=False)
print(len(page.blocks.blocks), app.__file__)
page.service.close()
"""


def pip(*words) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *map(str, words)], check=True, timeout=300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which the wheel was installed; dependencies come from this environment."""
    clone, wheels, folder = map(tmp_path_factory.mktemp, ("clone", "wheels", "installed"))
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, clone / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, clone)
    (wheel,) = wheels.glob("*.whl")
    pip("install", "--no-deps", "--target", folder, wheel)
    return folder


@pytest.fixture
def asked(installed, tmp_path):
    """`asked(*command)` is what a program of the installed package prints, outside the clone."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PEFT_DEMO_HOME": str(tmp_path)}

    def run(*command) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_wheel_carries_its_data(installed):
    assert [name for name in DATA_FILES if not (installed / name).is_file()] == []


def test_the_command_lists_the_shipped_adapters(asked, installed):
    entries = json.loads(asked(installed / "bin" / "peft-demo", "zoo", "--json"))
    assert len(entries) == 10
    assert all(entry["shipped"] and not entry["refusal"] for entry in entries)


def test_the_page_is_built(asked, installed):
    components, file = asked(sys.executable, "-c", BUILD_THE_PAGE).split()
    assert int(components) > 50 and Path(file).is_relative_to(installed)
