"""The page that `export --to web` writes answers in a browser, without a server of ours.

onnxruntime-web comes from npm: `PEFT_DEMO_ORT_WEB` names the folder that the page's own command has
filled, and without it the test is left out.
"""

import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from peft_demo.studio.exports.web import RUNTIME

from .steps import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def runtime() -> list[Path]:
    if not (folder := os.environ.get("PEFT_DEMO_ORT_WEB")):
        pytest.skip("needs PEFT_DEMO_ORT_WEB, a folder with onnxruntime-web's dist files")
    return [Path(folder) / name for name in RUNTIME.split()]


def test_a_page_of_its_own_answers_in_the_browser(runtime, chromium, tmp_path):
    out = tmp_path / "web"
    command = ["export", "aoft-lora-textures-s0", "--to", "web", "--out", str(out)]
    subprocess.run([sys.executable, "-m", "peft_demo", *command], check=True)
    command = ["export", "aoft-lora-textures-s0", "--to", "space", "--out", str(tmp_path / "s")]
    subprocess.run([sys.executable, "-m", "peft_demo", *command], check=True)
    for file in runtime:
        shutil.copy(file, out)
    handler = partial(SimpleHTTPRequestHandler, directory=out)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        expect(page.get_by_role("status")).to_contain_text("Choose a picture")
        page.get_by_label("A picture").set_input_files(tmp_path / "s" / "sample-00.png")
        expect(page.get_by_role("status")).to_contain_text("bricks, 94 %")
        server.shutdown()
