"""The real app as a process of its own, and a real Chromium that looks at it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from filelock import FileLock
from ports import free_port

from .camera import write_film

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP *.example 127.0.0.1",  # other sites, all on this machine
]
START_S = 120
"""Seconds until a server must answer: a cold start on a busy machine."""


class Server:
    """`app.py` on a free port, with a home of its own; `restart` stops it politely and starts it
    again.
    """

    def __init__(self, home: Path):
        self.port = free_port()
        self.home = home
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "app.py"), "--port", str(self.port), "--offline"]
        env = os.environ | {
            "PEFT_DEMO_HOME": str(self.home),
            "OMP_NUM_THREADS": "1",
        }  # the browser needs a core too
        with open(self.home / "app.log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        ends = time.monotonic() + START_S
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < ends, (
                self.home / "app.log"
            ).read_text()
            time.sleep(0.3)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _answers(self) -> bool:
        try:
            return urlopen(self.url, timeout=5).status == 200
        except (URLError, OSError):
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server of a file of tests. One file at a time: two browsers starve two cores."""
    home = tmp_path_factory.mktemp("home")
    with FileLock(home.parent.parent / "browser.lock"):
        running = Server(home)
        yield running
        running.stop()


def absent(what: str):
    """Skips, but fails in CI, where nothing may go unseen."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(
        f"{what} is missing: the page was not tried in a browser"
    )


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None) or absent("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright")
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    write_film(film)
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser.new_context()  # one for all: the page's scripts are compiled once
        browser.close()


@pytest.fixture
def visit(chromium, server):
    """`visit(path="", width=1366)` opens the page in a tab of its own. At the end none of them may
    have asked another host for anything, nor have met an error in its scripts.
    """
    pages = []
    odd = []
    _forget(chromium, server.url)

    def open_page(path: str = "", width: int = 1366, height: int = 900):
        pages.append(page := chromium.new_page())
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(90_000)
        page.on(
            "request",
            lambda r: r.url.startswith((server.url, "data:", "blob:")) or odd.append(r.url),
        )
        page.on("pageerror", lambda e: odd.append(str(e)))
        page.on("console", lambda m: "vega" in m.text.lower() and odd.append(m.text))
        page.on("dialog", lambda d: odd.append(d.message) or d.dismiss())
        page.goto(server.url + path)
        page.wait_for_selector("#image")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert odd == []


def _forget(chromium, url: str) -> None:
    """The browser has seen nothing, and no open page can still write what it remembers."""
    page = chromium.new_page()
    page.goto(url + "theme.css")
    page.evaluate("localStorage.clear()")
    page.close()
