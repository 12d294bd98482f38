"""README and docs keep their word: every command in an `sh` block runs as it stands (set-up, app
and tests run in CI)."""

import re
import shlex
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in PAGES}


def commands() -> list[str]:
    """Every command of every page once, in the order a reader meets them."""
    blocks = [
        b for text in TEXTS.values() for b in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    ]
    lines = [line for block in blocks for line in block.splitlines() if line]
    return list(dict.fromkeys(lines))


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with what a reader would have: a photo, and a zip of class folders."""
    folder = tmp_path_factory.mktemp("desk")
    Image.effect_noise((200, 150), 60).convert("RGB").save(folder / "photo.jpg")
    with ZipFile(folder / "photos.zip", "w") as archive:
        for label, colour in (("cup", "red"), ("plate", "blue")):
            for i in range(6):
                picture = BytesIO()
                Image.new("RGB", (40 + i, 40), colour).save(picture, "PNG")
                archive.writestr(f"{label}/{i}.png", picture.getvalue())
    return folder


@pytest.fixture
def at_desk(desk, monkeypatch) -> Path:
    """The reader sits in that folder, with a home of their own that lasts for all tests here."""
    monkeypatch.chdir(desk)
    monkeypatch.setenv("PEFT_DEMO_HOME", str(desk / "home"))
    return desk


def test_the_readme_has_its_two_set_up_commands():
    app, tests = re.findall(r"^```bash\n(.*?)^```", README, re.M | re.S)[:2]
    assert "pip install -r requirements.txt" in app
    assert app.strip().endswith("python app.py")
    assert "tests/requirements.txt" in tests
    assert tests.strip().endswith("python -m pytest")


@pytest.mark.slow
def test_every_command_runs(at_desk, monkeypatch, capsys):
    """In the order they stand, in this process: importing torch for each would take longer than
    running them."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    from peft_demo import __main__, cli  # noqa: F401  composes the commands

    assert len(commands()) >= 10
    for command in commands():
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "peft_demo"], command
        code = cli.run(words[3:])
        output = capsys.readouterr()
        assert code == 0, f"{command}\n{output.err}"
        assert output.out.strip(), command


def test_a_command_runs_in_a_process_of_its_own(at_desk, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    words = [sys.executable, "-m", "peft_demo", "datasets"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "digits" in done.stdout


def test_the_method_table_is_what_the_records_say():
    from peft_demo.methods import methods
    from peft_demo.vit import anatomy_of, find

    anatomy = anatomy_of(find("vit_base_patch16_224", ROOT))
    row = r"^\| `(\w+)` \|.*\| ([\d,]+)(?: \(budget\))? \| (?:yes|no) \|$"
    rows = dict(re.findall(row, TEXTS["docs/methods.md"], re.M))
    assert rows == {m.name: f"{m.count(anatomy, m.config()):,}" for m in methods().values()}


def test_the_table_of_flags_is_what_the_command_line_takes():
    from peft_demo.cli.options import READING

    rows = re.findall(r"^\| `--([\w-]+)` \|.*\| `(.*)` \|$", TEXTS["docs/data.md"], re.M)
    assert {flag.replace("-", "_") for flag, _ in rows} == READING.keys()
    assert all(example.startswith(f"--{flag} ") for flag, example in rows)


@pytest.fixture
def shown_method(tmp_path, monkeypatch):
    """The method that CONTRIBUTING shows whole, as a file in the room."""
    from peft_demo import methods

    text = TEXTS["CONTRIBUTING.md"]
    (source,) = re.findall(r"^```python\n(\"\"\"\(IA\).*?)^```", text, re.M | re.S)
    (tmp_path / "ia3.py").write_text(source, "utf-8")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    methods.methods.cache_clear()
    yield "ia3"
    monkeypatch.undo()
    methods.methods.cache_clear()
    sys.modules.pop("peft_demo.methods.ia3")


def test_the_method_shown_whole_keeps_the_laws(shown_method, tiny):
    import test_laws as laws

    for law in (
        laws.test_1_attaching_and_training_leave_the_backbone_bit_identical,
        laws.test_2_a_method_that_says_it_starts_as_identity_does,
        laws.test_3_every_adapter_tensor_gets_a_gradient_and_no_frozen_one_does,
        laws.test_8_the_trainable_count_equals_the_closed_form,
    ):
        law(shown_method, tiny)
    laws.test_5_merged_equals_attached_and_merges_precisely_when_the_record_says_so(
        shown_method, True
    )


@pytest.mark.slow
def test_the_lines_of_python_run(at_desk, capsys):
    (lines,) = re.findall(r"^```python\n(from peft_demo import .*?)^```", README, re.M | re.S)
    exec(lines, {})
    assert len(capsys.readouterr().out.split()) == 2


def links() -> list[tuple[str, str]]:
    """(page, link) of every link into the repository."""
    return [
        (page, link)
        for page, text in TEXTS.items()
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", text)
    ]


@pytest.mark.parametrize(("page", "link"), links())
def test_every_link_into_the_repository_leads_somewhere(page, link):
    assert ((ROOT / page).parent / link).exists()
