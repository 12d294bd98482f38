"""`peft-demo app` and `python app.py`: what they take from command line and environment."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from peft_demo import app, cli
from peft_demo.contracts.errors import PeftDemoError

ROOT = Path(__file__).parent.parent


class NoService:
    def close(self):
        pass


@pytest.fixture
def served(monkeypatch):
    """`served(*words)` is what `peft-demo app *words` would serve: its settings by name."""
    import peft_demo.__main__  # noqa: F401  adds the command

    settings = {}

    def page(host, zoo, offline, allow_local_paths):
        settings.update(zoo=zoo, offline=offline, allow_local_paths=allow_local_paths)
        return app.ServedPage(NoService(), None, {})

    def launch(page, host, port, open_browser):
        settings.update(host=host, port=port, open=open_browser)

    def serve(*words) -> dict:
        assert cli.run(["app", *words]) == 0
        return settings

    monkeypatch.setattr(app, "page_for_this_machine", page)
    monkeypatch.setattr(app, "_launch", launch)
    monkeypatch.setattr(app, "prepare_environment", lambda offline: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    return serve


def test_it_listens_to_this_machine_only(served):
    settings = served()
    assert settings["host"] == "127.0.0.1" and settings["port"] is None
    assert settings["allow_local_paths"] is False


def test_it_opens_the_page_only_when_asked(served):
    assert served("--open")["open"] is True
    assert served()["open"] is False


def test_its_flags(served):
    settings = served("--zoo", "my", "--offline", "--allow-local-paths")
    assert settings["zoo"] == Path("my")
    assert settings["offline"] is True and settings["allow_local_paths"] is True


@pytest.mark.parametrize(("host", "shared"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_only_who_started_a_run_may_stop_it_where_others_look_on(home, monkeypatch, host, shared):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(home / "tmp"))
    page = app.page_for_this_machine(host, zoo=None, offline=True, allow_local_paths=False)
    assert page.service.training._shared is shared


def test_gradios_variables_hold_where_the_command_line_is_silent(served, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8001")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    settings = dict(served())
    assert (settings["port"], settings["host"]) == (8001, "0.0.0.0")
    assert served("--port", "9")["port"] == 9
    assert served("--host", "::1")["host"] == "::1"


def test_the_environment_is_prepared_before_imports(monkeypatch):
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
    app.prepare_environment(offline=True)
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False" and os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost"


class NoPort:
    """Blocks for which Gradio finds no port."""

    def launch(self, **_):
        raise OSError("Cannot find empty port in range: 80-80. You can specify server_port")


def test_a_port_that_is_taken_is_one_sentence():
    page = app.ServedPage(NoService(), NoPort(), {})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PeftDemoError, match=f"port {port} of 127.0.0.1 is in use already"):
            app._launch(page, "127.0.0.1", port, False)


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.example"])
def test_an_address_of_another_machine_is_one_sentence(host):
    page = app.ServedPage(NoService(), NoPort(), {})
    with pytest.raises(PeftDemoError, match=f"cannot serve on {host}, port any: ") as refusal:
        app._launch(page, host, None, False)
    assert "empty port" not in str(refusal.value)


def test_the_entry_of_a_space_is_the_same_command():
    words = [sys.executable, str(ROOT / "app.py"), "--help"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "--allow-local-paths" in text and "--port" in text
