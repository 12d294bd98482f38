"""The entry: what it takes from the command line and from the environment."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def app():
    spec = importlib.util.spec_from_file_location(
        "peft_demo_app", Path(__file__).parents[2] / "app.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def said(app, monkeypatch):
    """`said(*words)` is what the command line `python app.py *words` asks for."""

    def ask(*words):
        monkeypatch.setattr(sys, "argv", ["app.py", *words])
        return app.arguments()

    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        monkeypatch.delenv(name, raising=False)
    return ask


def test_it_listens_to_this_machine_only(said):
    asked = said()
    assert asked.host == "127.0.0.1" and asked.port is None and not asked.allow_local_paths


def test_it_opens_the_page_only_when_asked(said):
    assert said("--open").open and not said().open


@pytest.mark.parametrize(("host", "shared"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_only_who_started_a_run_may_stop_it_where_others_look_on(
    app, said, home, monkeypatch, host, shared
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(home / "tmp"))
    service, *_ = app.at_home(said("--offline", "--host", host))
    assert service.training._shared is shared


def test_gradios_variables_hold_where_the_command_line_is_silent(said, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8001")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert (said().port, said().host) == (8001, "0.0.0.0")
    assert (said("--port", "9").port, said("--host", "::1").host) == (9, "::1")


def test_the_environment_is_prepared_before_imports(app, monkeypatch):
    names = (
        "GRADIO_ANALYTICS_ENABLED",
        "HF_HUB_DISABLE_TELEMETRY",
        "HF_HUB_OFFLINE",
        "NO_PROXY",
        "no_proxy",
    )
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "intranet")
    app.prepare(offline=True)
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False" and os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost"
