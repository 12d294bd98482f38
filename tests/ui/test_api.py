"""What programs may ask, asked as they would: through gradio_client, and by hand where they would
cheat.
"""

import json
import re
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from ports import free_port

from peft_demo import ui
from peft_demo.contracts.errors import BadImage
from peft_demo.ui import api
from peft_demo.ui.guide import PROGRAMS

from .fake import Fake, picture


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(folder / "tmp"))
    demo, launch = ui.build(Fake(folder))
    demo.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        **launch,
    )
    yield Client(
        demo.local_url, verbose=False, analytics_enabled=False, download_files=str(folder / "got")
    )
    demo.close()
    patch.undo()


@pytest.fixture
def photo(tmp_path) -> Path:
    (tmp_path / "photo.png").write_bytes(picture("7"))
    return tmp_path / "photo.png"


def test_adapters_tell_what_is_needed_to_choose_one(client):
    known = {entry["id"]: entry for entry in client.predict(api_name="/adapters")}
    good = known["lora-digits-0"]
    broken = known["broken"]
    assert (
        good["method"] == "lora" and good["classes"] == list("0123456789") and good["refusal"] == ""
    )
    assert (good["val_accuracy"], good["test_accuracy"], good["file_bytes"]) == (
        0.951,
        0.942,
        151_000,
    )
    assert broken["refusal"] == "the file is truncated."


def test_fifty_who_ask_at_once_all_get_an_answer(client, photo):
    """Nobody reads that the queue is full."""
    question = (handle_file(photo), ["lora-digits-0"], 1)
    jobs = [client.submit(*question, api_name="/classify") for _ in range(50)]
    answers = [job.result(timeout=120) for job in jobs]
    assert [answer[0]["label"] for answer in answers] == ["0"] * 50


def test_a_picture_is_classified_by_several_adapters(client, photo):
    said = client.predict(
        handle_file(photo), ["lora-digits-0", "lora-digits-0"], 3, api_name="/classify"
    )
    assert [s["adapter"] for s in said] == ["lora-digits-0"] * 2
    assert said[0]["label"] == "0" and said[0]["probability"] == 0.7 and len(said[0]["top"]) == 3


def test_names_may_be_given(client, photo):
    assert (
        client.predict(image=handle_file(photo), adapters=["lora-digits-0"], api_name="/classify")[
            0
        ]["label"]
        == "0"
    )


def test_the_lines_in_help_run_as_they_stand(client, tmp_path, monkeypatch, capsys):
    (tmp_path / "photo.jpg").write_bytes(picture("7"))
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"```python\n(.*?)```", PROGRAMS, re.S)[0]
    assert "http://127.0.0.1:7860" in lines
    exec(lines.replace("http://127.0.0.1:7860", client.src), {})
    assert capsys.readouterr().out.splitlines()[-1] == "0 0.7"


@pytest.mark.parametrize(
    ("adapters", "top", "about"),
    [
        (["lora-digits-9"], 5, "Did you mean 'lora-digits-0'?"),
        ([], 5, "takes 1 to 4 names"),
        (["lora-digits-0"] * 5, 5, "takes 1 to 4 names"),
        ("lora-digits-0", 5, "takes a list of names"),
        ([{"path": "/etc/passwd"}], 5, "takes a list of names"),
        (["lora-digits-0"], 0, "from 1 to 1000"),
        (["lora-digits-0"], "many", "from 1 to 1000"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(client, photo, adapters, top, about):
    with pytest.raises(AppError, match=about.replace("?", r"\?")):
        client.predict(handle_file(photo), adapters, top, api_name="/classify")


@pytest.mark.parametrize(
    "image",
    [
        "/etc/passwd",
        None,
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}, "is_stream": True},
        {"path": "../../../../../../etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"image": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}},
    ],
)
def test_a_path_of_the_server_is_no_image(client, image):
    """Posted as it is: the client would upload its own file of that name."""
    url = f"{client.src}gradio_api/call/classify"
    asked = Request(
        url,
        json.dumps({"data": [image, ["lora-digits-0"], 5]}).encode(),
        {"Content-Type": "application/json"},
    )
    said = urlopen(f"{url}/{json.load(urlopen(asked))['event_id']}", timeout=30).read().decode()
    assert said.startswith("event: error") and "root:" not in said


@pytest.mark.parametrize(
    "image", ["/etc/passwd", None, {"path": "/etc/passwd"}, {"path": __file__, "meta": {}}]
)
def test_only_an_upload_is_an_image(image):
    with pytest.raises(BadImage, match="no uploaded file"):
        api.uploaded(image)
