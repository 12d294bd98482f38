"""Imports only go down, and the page's room does not load torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "contracts": 0,
    "files": 0,
    "vit": 1,
    "data": 1,
    "methods": 2,
    "adapters": 3,
    "training": 4,
    "studio": 5,
    "ui": 6,
    "cli": 6,
    "library": 6,
    "space": 7,
    "pretrain": 7,
    "bench": 7,
    "__main__": 8,
    "__init__": 8,
}
STANDARD_ONLY = {"contracts", "files"}
NOT_FOR = {"ui": {"studio", "training", "adapters", "methods", "vit", "data"}, "cli": {"ui"}, "library": {"ui", "cli"}}

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
            names |= {stem, *(f"{stem}.{alias.name}" for alias in node.names)}
    return names


def rooms_used(file: Path) -> set[str]:
    return {n.split(".")[1] for n in imported(file) if n.startswith("peft_demo.")} & FLOORS.keys() - {"__init__"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_only_go_down(file):
    """A room imports from itself and from lower floors only; `ui` and `cli` keep to the doors they are given."""
    own = room(file)
    assert own in FLOORS, f"{own} stands on no floor: give it one here"
    for other in rooms_used(file) - {own}:
        assert FLOORS[other] < FLOORS[own], f"{own} must not import {other}"
        assert other not in NOT_FOR.get(own, ()), f"{own} must not import {other}"


@pytest.mark.parametrize("file", [f for f in FILES if room(f) in STANDARD_ONLY], ids=lambda f: f.name)
def test_contracts_need_the_standard_library_only(file):
    outside = {n.split(".")[0] for n in imported(file)} - sys.stdlib_module_names - {"peft_demo"}
    assert not outside


@pytest.mark.parametrize("name", ["peft_demo", "peft_demo.contracts.service", "peft_demo.ui", "peft_demo.__main__"])
def test_importing_does_not_load_torch(name):
    code = f"import {name}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
