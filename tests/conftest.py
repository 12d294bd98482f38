"""Fixtures the whole suite shares.

Tests run in two processes with one torch thread each: small tensors gain nothing from more, and
sums do not depend on how many cores there are.
"""

import errno
import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")
from pathlib import Path

import pytest
from small import random_vit

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests press Ctrl-C


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run tests marked slow too, as CI does")


FIRST = ("test_page", "test_docs")


def pytest_collection_modifyitems(config, items):
    """Leaves slow tests out unless asked for.

    A file runs in one process. The two longest begin, so that neither process waits for the other
    at the end. The other files that drive a browser come last, one at a time (`server` of
    `tests/browser`).
    """
    everything = config.getoption("--slow") or "CI" in os.environ
    for item in items:
        if item.get_closest_marker("slow") and not everything:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.path.stem in FIRST:
        return 0
    return 2 if item.path.parent.name == "browser" else 1


@pytest.fixture(scope="session")
def tiny():
    """A random ViT: 2 blocks, width 48, 3 heads, 32 px in patches of 8 (16 patch tokens and a class
    token)."""
    return random_vit()


@pytest.fixture(scope="session")
def full_disk():
    """Stands in for a system call on a disk that is full."""

    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    return refuse


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty PEFT_DEMO_HOME."""
    monkeypatch.setenv("PEFT_DEMO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def stand_in(monkeypatch):
    """A Hub on this machine that huggingface_hub talks with, logged in as `me`; see
    `hub_stand_in`."""
    from hub_stand_in import TOKEN, StandIn
    from huggingface_hub import close_session, constants

    with StandIn() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        close_session()  # the next one reads the environment again
        yield hub
        close_session()


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of optional real weights and photos, named by PEFT_DEMO_ASSETS; skips where it is
    not set."""
    folder = os.environ.get("PEFT_DEMO_ASSETS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PEFT_DEMO_ASSETS does not name a folder with real weights and photos")
    return Path(folder)
