"""A page of another site that a person has open: it reads nothing here, and nothing it asks is
done."""

from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from threading import Thread
from urllib.parse import urlsplit

import pytest
from starlette.middleware import Middleware
from ui.fake import Fake

from peft_demo import ui

pytestmark = pytest.mark.browser
MINE = "space.example"
OTHER = "evil.example"
ASK = """async ([address, mode]) => {
    const said = [];
    const json = {"Content-Type": mode == "cors" ? "application/json" : "text/plain"};
    const options = {mode, credentials: "include"};
    const post = {...options, method: "POST", headers: json, body: '{"data": []}'};
    const asked = [
        ["config", options],
        ["gradio_api/info", options],
        ["gradio_api/call/adapters", post],
        ["gradio_api/queue/join", post],
        ["gradio_api/upload", {...options, method: "POST", body: new FormData()}],
    ];
    for (const [path, how] of asked) {
        try {
            said.push(await (await fetch(address + path, how)).text());
        } catch (error) {}
    }
    return said.join("");
}"""
LISTEN = """address => new Promise(done => {
    const events = new EventSource(address + "gradio_api/queue/data?session_hash=s",
                                   {withCredentials: true});
    events.onmessage = event => done(event.data);
    events.onerror = () => done("");
})"""


class Passed:
    """ASGI middleware behind the guard: the origins of what came through."""

    def __init__(self, app, origins):
        self._app = app
        self._origins = origins

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self._origins.append(dict(scope["headers"]).get(b"origin", b""))
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def passed():
    return []


@pytest.fixture(scope="module")
def port(tmp_path_factory, passed):
    """Where a page is served that goes by the name `MINE`."""
    blocks, launch = ui.build(Fake(tmp_path_factory.mktemp("fake")))
    launch["app_kwargs"] = {"middleware": [Middleware(Passed, origins=passed)]}
    launch = ui.guarded(launch, [MINE])
    blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **launch)
    yield urlsplit(blocks.local_url).port
    blocks.close()


@pytest.fixture(scope="module")
def other_site(tmp_path_factory):
    """The address of an empty page of another site."""
    folder = tmp_path_factory.mktemp("evil")
    (folder / "index.html").write_text("<title>evil</title>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None
    server = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{OTHER}:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(chromium):
    opened = chromium.new_page()
    yield opened
    opened.close()


@pytest.mark.parametrize("host", [MINE, "127.0.0.1", "localhost"])
def test_a_page_of_another_site_reads_nothing_and_nothing_is_done(
    page, port, other_site, passed, host
):
    page.goto(other_site)
    address = f"http://{host}:{port}/"
    assert page.evaluate(ASK, [address, "cors"]) == ""
    passed.clear()
    page.evaluate(ASK, [address, "no-cors"])
    assert OTHER.encode() not in b" ".join(passed)
    assert page.evaluate(LISTEN, address) == ""


def test_another_name_for_this_machine_opens_no_page(page, port):
    """DNS rebinding: the other site's own name leads here."""
    assert page.goto(f"http://{OTHER}:{port}/").status == 403


def test_the_own_page_may_ask(page, port):
    assert page.goto(f"http://{MINE}:{port}/", wait_until="commit").status == 200
    assert "adapter" in page.evaluate(ASK, [f"http://{MINE}:{port}/", "cors"])
