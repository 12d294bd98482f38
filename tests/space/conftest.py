"""Visitors without browsers, and runs of a second."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from gradio.context import LocalContext

from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.space.visitors import Visitors

from . import fake_spaces


@pytest.fixture(scope="session")
def visit():
    """`with visit("ann"):` is a handler that runs for ann."""

    @contextmanager
    def asking(name: str):
        token = LocalContext.request.set(SimpleNamespace(request=None, session_hash=name))
        try:
            yield
        finally:
            LocalContext.request.reset(token)

    return asking


@pytest.fixture
def visitors(home):
    """The services of a Space on the CPU, with nothing shipped."""
    opened = Visitors(device="cpu", offline=True, shipped=home / "none")
    yield opened
    opened.close()


@pytest.fixture
def spaces(monkeypatch):
    """A stand-in for the package, see there."""
    monkeypatch.setitem(sys.modules, "spaces", fake_spaces)


@pytest.fixture
def run() -> RunSpec:
    return RunSpec("linear", data=DataSpec(shots=1), size=32, recipe=Recipe(epochs=2))


@pytest.fixture(scope="session")
def finish():
    """visitors → the events of the asking visitor's run, once it has ended."""

    def wait(visitors: Visitors, id: str) -> list:
        assert visitors._mine().training.wait(60)
        return visitors.training.follow(id)[0]

    return wait
