"""The examples run as they stand, offline."""

import runpy
from pathlib import Path

import pytest

from peft_demo import methods

EXAMPLES = Path(__file__).parents[1] / "examples"
LAST_WORDS = {
    "train_and_classify.py": "answered",
    "own_method.py": "scale_values",
    "swap_and_mix.py": "lora-shapes-s0",
}


@pytest.fixture(autouse=True)
def no_method_stays(monkeypatch):
    monkeypatch.setattr(methods, "_registered", {})
    methods.methods.cache_clear()
    yield
    methods.methods.cache_clear()


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_runs(name, home, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert LAST_WORDS[name] in capsys.readouterr().out.splitlines()[-1]
