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
COMMANDS = [
    c
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)
    for c in block.splitlines()
    if c
]


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
    rows = dict(
        re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+)(?: \(budget\))? \| (?:yes|no) \|$", README, re.M)
    )
    assert rows == {m.name: f"{m.count(anatomy, m.config()):,}" for m in methods().values()}


@pytest.fixture
def method_of_the_readme(tmp_path, monkeypatch):
    """The method that the README shows whole, as a file in the room."""
    from peft_demo import methods

    (source,) = re.findall(r"^```python\n(\"\"\"\(IA\).*?)^```", README, re.M | re.S)
    (tmp_path / "ia3.py").write_text(source, "utf-8")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    methods.methods.cache_clear()
    yield "ia3"
    monkeypatch.undo()
    methods.methods.cache_clear()
    sys.modules.pop("peft_demo.methods.ia3")


def test_the_method_shown_whole_keeps_the_laws(method_of_the_readme, tiny):
    import test_laws as laws

    for law in (
        laws.test_1_attaching_and_training_leave_the_backbone_bit_identical,
        laws.test_2_a_method_that_says_it_starts_as_identity_does,
        laws.test_3_every_adapter_tensor_gets_a_gradient_and_no_frozen_one_does,
        laws.test_8_the_trainable_count_equals_the_closed_form,
    ):
        law(method_of_the_readme, tiny)
    laws.test_5_merged_equals_attached_and_merges_precisely_when_the_record_says_so(
        method_of_the_readme, True
    )


def test_the_lines_of_python_run(desk, monkeypatch, capsys):
    (lines,) = re.findall(r"^```python\n(from peft_demo import .*?)^```", README, re.M | re.S)
    monkeypatch.chdir(desk)
    monkeypatch.setenv("PEFT_DEMO_HOME", str(desk / "home"))
    exec(lines, {})
    assert len(capsys.readouterr().out.split()) == 2


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_into_the_repository_leads_somewhere(link):
    assert (ROOT / link).exists()
