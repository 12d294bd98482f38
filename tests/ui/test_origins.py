"""Real requests: a page of another site is refused, and so is a name the server does not go by."""

import http.client
from urllib.parse import urlsplit

import pytest
from ports import free_port

from peft_demo import ui

from .fake import Fake

HUB = "https://huggingface.co"
SPACE = "owner-name.hf.space"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """host:port of a served page that goes by the name of a Space."""
    blocks, launch = ui.build(Fake(tmp_path_factory.mktemp("fake")))
    launch = ui.guarded(launch, [SPACE], [HUB, f"https://{SPACE}"])
    blocks.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        **launch,
    )
    yield urlsplit(blocks.local_url).netloc
    blocks.close()


def ask(address: str, method: str = "GET", path: str = "/config", **headers: str):
    """The answer to one request with exactly these headers."""
    connection = http.client.HTTPConnection(address, timeout=30)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, headers={"Host": address, **given})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/config", "/", "/gradio_api/info"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "x"])
def test_a_page_of_another_site_is_refused(address, path, origin):
    response = ask(address, path=path, Host=SPACE, Origin=origin)
    assert response.status == 403
    assert response.getheader("access-control-allow-origin") is None


def test_another_site_may_not_ask_beforehand_either(address):
    response = ask(
        address,
        "OPTIONS",
        "/gradio_api/queue/join",
        Host=SPACE,
        Origin="https://evil.example",
        Access_Control_Request_Method="POST",
    )
    assert response.status == 403
    assert response.getheader("access-control-allow-origin") is None


def test_a_post_of_another_site_does_nothing(address):
    response = ask(
        address, "POST", "/gradio_api/queue/join", Host=SPACE, Origin="https://evil.example"
    )
    assert response.status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "", "[", "a b"])
def test_a_name_the_server_does_not_go_by_is_refused(address, host):
    assert ask(address, Host=host).status in (400, 403)


@pytest.mark.parametrize("origin", [HUB, f"https://{SPACE}"])
def test_the_space_and_the_hub_that_frames_it_may_ask(address, origin):
    assert ask(address, Host=SPACE, Origin=origin).status == 200


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1:80", "[::1]:80", "LOCALHOST", SPACE])
def test_the_page_itself_and_programs_may_ask(address, host):
    assert ask(address, Host=host).status == 200
    assert ask(address, Host=host, Origin=f"http://{host}").status == 200
