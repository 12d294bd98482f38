"""Imports only go down, and the page's room does not load torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FACE = "__init__"
"""The package's own face, `peft_demo/__init__.py`: nothing below it may import it."""
FLOORS = {
    "version": 0,
    "lazy": 0,
    "contracts": 0,
    "storage": 1,
    "vit": 2,
    "data": 2,
    "methods": 3,
    "adapters": 4,
    "inference": 5,
    "interop": 5,
    "training": 6,
    "studio": 7,
    "library": 7,
    "ui": 8,
    "cli": 8,
    "space": 8,
    "pretrain": 8,
    "bench": 9,
    "app": 10,
    "__main__": 11,
    FACE: 12,
}
STANDARD_ONLY = {"version", "lazy", "contracts", "storage"}
ALLOWED_OUTSIDE = {"storage": {"filelock"}}
NOT_FOR = {
    "ui": FLOORS.keys() - {"contracts", "version"},
    "cli": {"ui", "space"},
    "space": {"cli"},
    "library": {"studio"},
    "pretrain": FLOORS.keys() - {"contracts", "storage", "version", "lazy", "vit", "data"},
}

FILES = sorted((ROOT / "peft_demo").rglob("*.py"))


def room(file: Path) -> str:
    return file.relative_to(ROOT / "peft_demo").with_suffix("").parts[0]


def imported(file: Path) -> set[str]:
    """Dotted names of everything a file imports, relative imports made absolute."""
    package = file.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{stem}.{alias.name}" for alias in node.names}
    return names


def rooms_used(file: Path) -> set[str]:
    """The rooms a file imports from; the face, where it imports a name that is no room."""
    parts = [name.split(".") for name in imported(file) if name.split(".")[0] == "peft_demo"]
    inside = {part[1] if len(part) > 1 else FACE for part in parts}
    return {name if name in FLOORS else FACE for name in inside}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_only_go_down(file):
    """A room imports from itself and from lower floors only, and keeps to the doors it is given."""
    own = room(file)
    assert own in FLOORS, f"{own} stands on no floor: give it one here"
    for other in rooms_used(file) - {own}:
        assert FLOORS[other] < FLOORS[own], f"{own} must not import {other}"
        assert other not in NOT_FOR.get(own, ()), f"{own} must not import {other}"


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("from .. import __version__", FACE),
        ("from peft_demo import __version__", FACE),
        ("import peft_demo", FACE),
        ("from .. import adapters", "adapters"),
        ("from ..version import __version__", "version"),
        ("import peft_demo.vit.seam", "vit"),
    ],
)
def test_the_floors_see_every_way_to_import(line, used, tmp_path, monkeypatch):
    file = tmp_path / "peft_demo" / "training" / "train.py"
    file.parent.mkdir(parents=True)
    file.write_text(line)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert rooms_used(file) == {used}


@pytest.mark.parametrize(
    "file", [f for f in FILES if room(f) in STANDARD_ONLY], ids=lambda f: f.name
)
def test_the_ground_floor_needs_the_standard_library_only(file):
    outside = {n.split(".")[0] for n in imported(file)} - sys.stdlib_module_names - {"peft_demo"}
    assert outside <= ALLOWED_OUTSIDE.get(room(file), set())


@pytest.mark.parametrize(
    "name", ["peft_demo", "peft_demo.contracts.service", "peft_demo.ui", "peft_demo.__main__"]
)
def test_importing_does_not_load_torch(name):
    code = f"import {name}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


WITHOUT_TORCH = """
import sys
from pathlib import Path
from peft_demo import app, cli
import peft_demo.__main__  # adds commands

codes = [cli.run(words.split()) for words in sys.argv[1:]]
page = app.page_for_this_machine("127.0.0.1", None, offline=True, allow_local_paths=False)
loaded = {"torch", "timm"} & sys.modules.keys()
print(codes, len(page.blocks.blocks) > 100, loaded)
"""
"""Prints the exit code of each command, whether the page is drawn, and what was loaded for it."""


def test_commands_that_list_and_a_page_that_is_drawn_need_no_torch(home):
    words = ["zoo", "datasets", "backbones", "train --method lroa --data digits", "predict who x"]
    command = [sys.executable, "-c", WITHOUT_TORCH, *words]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1:] == ["[0, 0, 0, 2, 2] True set()"], result.stderr
    assert "did you mean 'lora'?" in result.stderr


def test_a_page_that_only_answers_does_not_load_training(tmp_path):
    code = (
        "import sys; from peft_demo.studio import Studio; studio = Studio(sys.argv[1]);"
        "id = studio.zoo.entries()[0].id; picture = studio.zoo.samples(id)[0].picture;"
        "print(studio.answers.classify(picture, [id])[0].label);"
        "sys.exit('peft_demo.training' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT).returncode == 0
