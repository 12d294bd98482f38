"""The page of a Space, served: a cookie tells browsers and programs apart."""

import os
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import gradio as gr
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from ports import free_port

from peft_demo import app, space, ui
from peft_demo.space import uploads
from peft_demo.space.visitor_id import COOKIE
from peft_demo.storage.home import folder_size


@pytest.fixture
def page(visitors, tmp_path, monkeypatch):
    """The address of a served page."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "tmp"))
    demo, launch = ui.build(visitors, space.banner)
    demo.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        **space.launch_arguments(launch),
    )
    yield demo.local_url
    demo.close()


def test_the_page_gives_a_cookie_once_and_to_nothing_else(page):
    given = urlopen(page).headers["set-cookie"]
    assert given.startswith(f"{COOKIE}=") and {"HttpOnly", "Secure", "SameSite=None"} <= set(
        given.split("; ")
    )
    again = urlopen(Request(page, headers={"Cookie": given.split(";")[0]})).headers
    assert "set-cookie" not in again and "set-cookie" not in urlopen(f"{page}manifest.json").headers


def send(page: str, size: int, announced: bool = True) -> int:
    """The status that a file of so many bytes gets, sent without a cookie."""
    begin = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
    body = begin + bytes(size) + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    content = body if announced else iter([body])  # an iterator is sent without a length
    try:
        return urlopen(Request(f"{page}gradio_api/upload", content, headers)).status
    except HTTPError as error:
        return error.code
    except URLError:  # refused, and the connection closed, before all was sent
        return 413


def test_uploads_of_anybody_have_a_limit_and_do_not_stay(page, tmp_path, monkeypatch):
    """Nobody has asked about them, so Gradio would keep them for ever."""
    monkeypatch.setattr(uploads, "REQUEST_BYTES", 10_000)
    monkeypatch.setattr(uploads, "KEPT_BYTES", 6_000)
    folder = tmp_path / "tmp"
    assert send(page, 20_000) == 413
    assert send(page, 10, announced=False) == 413
    assert not list(folder.rglob("a.bin"))
    for size in (2000, 2001, 2002, 2003):
        assert send(page, size) == 200
    assert folder_size(folder) <= 6_000, "the oldest made room"
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    urlopen(page)
    assert not list(folder.rglob("a.bin")), "they were swept with the next visit"


def test_two_programs_have_an_adapter_list_each(page, visitors, visit, run, finish, tmp_path):
    ann, bob = (Client(page, verbose=False, analytics_enabled=False) for _ in range(2))
    Image.new("RGB", (32, 32), "red").save(tmp_path / "photo.png")
    with visit(ann.cookies[COOKIE]):
        finish(visitors, visitors.training.start(run))
    assert [a["id"] for a in ann.predict(api_name="/adapters")] == ["linear-digits-s0"]
    assert bob.predict(api_name="/adapters") == []
    asked = handle_file(tmp_path / "photo.png"), ["linear-digits-s0"]
    assert ann.predict(*asked, api_name="/classify")[0]["adapter"] == "linear-digits-s0"
    with pytest.raises(Exception, match="No adapter 'linear-digits-s0'"):
        bob.predict(*asked, api_name="/classify")


@pytest.mark.parametrize("login", [False, True])
def test_the_page_says_what_is_kept_and_offers_a_login_where_there_is_one(
    visitors, monkeypatch, login
):
    monkeypatch.setattr(
        "gradio.routes.attach_oauth", lambda app: None
    )  # wants packages that only a Space has
    monkeypatch.setenv("OAUTH_CLIENT_ID", "id")
    if not login:
        monkeypatch.delenv("OAUTH_CLIENT_ID")
    demo, _ = ui.build(visitors, space.banner)
    line = next(b for b in demo.blocks.values() if b.elem_id == "space")
    assert "saved until the Space restarts" in line.value
    assert any(isinstance(b, gr.LoginButton) for b in demo.blocks.values()) is login
    assert set(demo.get_api_info()["named_endpoints"]) == {"/classify", "/adapters"}


@pytest.mark.parametrize("zero", [False, True])
def test_the_app_composes_itself_on_a_space(home, spaces, monkeypatch, zero):
    """With ZeroGPU the training function is registered before the page is served."""
    monkeypatch.setenv("SPACE_ID", "owner/name")
    monkeypatch.setenv("SPACES_ZERO_GPU", "true" if zero else "")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(home / "tmp"))
    visitors, _, launch = app.page_for_visitors(offline=True)
    assert "middleware" in launch["app_kwargs"] and not launch["share"]
    assert (visitors._turns._train.__module__ == "peft_demo.space.gpu") is zero
