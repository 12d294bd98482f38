"""Modules that are loaded when something is first asked of them, by one thread at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from peft_demo.lazy import LazyModule, lazy_names

ROOT = Path(__file__).parent.parent
ALL_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio import Studio

studio = Studio(sys.argv[1], offline=True)
id = studio.zoo.entries()[0].id
picture = studio.zoo.samples(id)[0].picture
assert "torch" not in sys.modules
questions = [
    lambda: studio.answers.classify(picture, [id]),
    lambda: studio.answers.explain(picture, id),
    lambda: studio.training.cost(RunSpec()),
    lambda: studio.training.status(),
    lambda: studio.zoo.changes(id),
]
barrier = Barrier(len(questions))

def ask(question):
    barrier.wait()
    return question()

with ThreadPoolExecutor(len(questions)) as threads:
    print(len(list(threads.map(ask, questions))))
"""
"""The questions of a page that opens before torch is there."""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module that can be imported and was not yet."""
    (tmp_path / "asked_later.py").write_text("value = 1")
    monkeypatch.syspath_prepend(tmp_path)
    yield "asked_later"
    sys.modules.pop("asked_later", None)


def test_a_module_is_loaded_when_something_is_asked_of_it(module):
    later = LazyModule(module)
    assert module not in sys.modules
    assert later.value == 1 and module in sys.modules
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = later.nothing


def test_what_an_import_raises_is_not_swallowed():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        _ = LazyModule("no_such_module").value


def test_names_of_a_package_come_from_their_files(module):
    take = lazy_names("package", {module: ["value"]})
    assert take("value") == 1
    with pytest.raises(AttributeError, match="module 'package' has no attribute 'other'"):
        take("other")


@pytest.mark.slow
def test_all_questions_may_come_before_torch_is_there(tmp_path):
    command = [sys.executable, "-c", ALL_AT_ONCE, str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.stdout.strip() == "5", result.stderr
