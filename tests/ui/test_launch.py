"""The page keeps to itself: it looks up no name but its own, and leaves open
nothing it need not.
"""

import gzip
import json
import socket
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import gradio
import pytest
from ports import free_port

from peft_demo import ui
from peft_demo.ui.data.sources import offered

from .fake import Fake

LOOPBACK = {"127.0.0.1", "localhost", "::1", None, "", b"127.0.0.1", b"localhost"}


@pytest.fixture
def asked(monkeypatch):
    """Names that were looked up."""
    names = []
    real = socket.getaddrinfo

    def getaddrinfo(host, *rest, **named):
        names.append(host)
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.fixture
def served(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "tmp"))
    demo, launch = ui.build(Fake(tmp_path))
    demo.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        **launch,
    )
    yield demo.local_url
    demo.close()


def test_building_and_serving_looks_up_nothing_outside(served, asked):
    assert urlopen(served).status == 200
    assert set(asked) <= LOOPBACK


def test_a_machine_that_is_slow_to_answer_itself_serves_all_the_same(tmp_path, monkeypatch):
    """Or one whose proxy knows nothing of it: Gradio would refuse to start."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(gradio.networking, "url_ok", lambda url: False)
    demo, launch = ui.build(Fake(tmp_path))
    demo.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        **launch,
    )
    try:
        assert urlopen(demo.local_url).status == 200
    finally:
        demo.close()


def test_the_page_itself_is_sent_compressed(served):
    asked = Request(served, headers={"Accept-Encoding": "gzip"})
    answer = urlopen(asked)
    assert answer.headers["content-encoding"] == "gzip"
    content = answer.read()
    assert len(content) < 200_000 and len(gzip.decompress(content)) > 2 * len(content)
    assert "content-encoding" not in urlopen(served).headers


def test_a_page_that_loads_asks_little_of_the_browser(tmp_path):
    """Gradio's page walks the whole tree for every value it gathers or sets: forms wait until their
    tab is opened.
    """
    config = ui.build(Fake(tmp_path))[0].get_config_file()
    loads = [d for d in config["dependencies"] if any(event == "load" for _, event in d["targets"])]
    assert loads and sum(len(d["inputs"]) for d in loads) <= 10


def test_it_opens_with_an_adapter_chosen(tmp_path):
    """One chosen later would set off the events of a choice."""
    config = ui.build(Fake(tmp_path))[0].get_config_file()
    (adapter,) = [
        c["props"] for c in config["components"] if c["props"].get("elem_id") == "adapter"
    ]
    assert adapter["value"] in [id for _, id in adapter["choices"]]


def test_monitoring_is_closed(served):
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{served}monitoring/summary")
    assert caught.value.code == 403


def test_files_of_the_machine_are_not_handed_out(served):
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{served}gradio_api/file=/etc/hostname")
    assert caught.value.code in (403, 404)


def test_the_only_public_endpoints_are_the_two_for_programs(served):
    info = json.load(urlopen(f"{served}gradio_api/info"))
    assert (
        set(info["named_endpoints"]) == {"/classify", "/adapters"}
        and info["unnamed_endpoints"] == {}
    )


def test_it_installs_as_an_app_whose_icon_is_its_own(served):
    """Everything the manifest names is served from here."""
    manifest = json.load(urlopen(f"{served}manifest.json"))
    assert (manifest["name"], manifest["display"]) == ("PEFT Demo", "standalone")
    for icon in manifest["icons"]:
        assert urljoin(f"{served}manifest.json", icon["src"]).startswith(served)
        assert (
            urlopen(urljoin(f"{served}manifest.json", icon["src"])).read() == ui.ICON.read_bytes()
        )


@pytest.mark.parametrize(
    "name", ["share", "run_history", "enable_monitoring", "ssr_mode", "show_error"]
)
def test_switches_are_off(name):
    assert ui.launch_arguments()[name] is False


def test_no_font_is_fetched():
    assert "fonts.googleapis" not in "".join(map(str, ui.launch_arguments()["theme"]._stylesheets))


def test_hub_and_folders_are_offered_only_where_they_can_be_used():
    everywhere = ["bundled", "draft", "upload"]
    assert offered(offline=True, allow_local_paths=False) == everywhere
    assert offered(offline=False, allow_local_paths=True) == [*everywhere, "folder", "hub"]
