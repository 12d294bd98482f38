"""The README keeps its word: every command in an `sh` block runs as it stands (set-up, app and tests run in CI)."""

import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [c for block in re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S) for c in block.splitlines() if c]


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with what a reader of the README would have: a photo, and a zip of class folders."""
    folder = tmp_path_factory.mktemp("desk")
    Image.effect_noise((200, 150), 60).convert("RGB").save(folder / "photo.jpg")
    with ZipFile(folder / "photos.zip", "w") as archive:
        for label, colour in (("cup", "red"), ("plate", "blue")):
            for i in range(6):
                picture = BytesIO()
                Image.new("RGB", (40 + i, 40), colour).save(picture, "PNG")
                archive.writestr(f"{label}/{i}.png", picture.getvalue())
    return folder


def test_the_readme_has_its_two_set_up_commands():
    app, tests = re.findall(r"^```bash\n(.*?)^```", README, re.M | re.S)[:2]
    assert "pip install -r requirements.txt" in app and app.strip().endswith("python app.py")
    assert "tests/requirements.txt" in tests and tests.strip().endswith("python -m pytest")


def test_every_command_runs(desk):
    """In the order they stand, as a reader would type them."""
    env = os.environ | {"PEFT_DEMO_HOME": str(desk / "home"), "PYTHONPATH": str(ROOT)}
    assert len(COMMANDS) >= 10
    for command in COMMANDS:
        words = command.replace("python ", f"{sys.executable} ", 1)
        done = subprocess.run(words, shell=True, cwd=desk, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout.strip(), command


def test_the_method_table_is_what_the_records_say():
    from peft_demo.methods import methods
    from peft_demo.vit import anatomy_of, find

    anatomy = anatomy_of(find("vit_base_patch16_224", ROOT))
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+)(?: \(budget\))? \| (?:yes|no) \|$", README, re.M))
    assert rows == {m.name: f"{m.count(anatomy, m.config()):,}" for m in methods().values()}


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_into_the_repository_leads_somewhere(link):
    assert (ROOT / link).exists()
