"""Pushed to a Hub and pulled elsewhere; and every way in which the Hub or the network says no."""

import os
import struct
import subprocess
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from hub_stand_in import CUT, TOKEN, Repo

from peft_demo import adapters
from peft_demo.contracts.errors import (
    BadAdapter,
    BadValue,
    CannotWrite,
    HubTrouble,
    NotAllowed,
    UnknownName,
)
from peft_demo.contracts.specs import PushSpec
from peft_demo.studio import hub_client, hub_conversation

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sender(stand_in, studio, adapter_file):
    """A studio with one adapter, "mine"."""
    card = replace(adapters.read_card(adapter_file), name="mine")
    studio.home.zoo.mkdir(parents=True)
    mine = adapters.AdapterFile.open(adapter_file).with_card(card)
    (studio.home.zoo / "mine.safetensors").write_bytes(mine.content)
    return studio


@pytest.fixture
def receiver(stand_in, tmp_path, open_studio):
    return open_studio(tmp_path / "elsewhere")


def mine(repo: str = "me/shades", **more) -> PushSpec:
    return PushSpec(("mine",), repo, **more)


def left(studio) -> list[Path]:
    """Files under its home that a pull could have left, but the lock of the zoo."""
    folders = (studio.home.zoo, studio.home.tmp)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if path.name != ".lock"]


def test_pushed_and_pulled_elsewhere_the_bytes_are_the_same(stand_in, sender, receiver, photos):
    said = []
    address = sender.hub.push(mine(), report=lambda what, fraction: said.append((what, fraction)))
    assert address == f"{stand_in.url}/me/shades" and said[0] == ("sending mine.safetensors", 0.0)
    repo = stand_in.repos["me/shades"]
    parcel = sender.hub.preview(mine())
    assert {n: len(d) for n, d in repo.files.items() if n != ".gitattributes"} == dict(parcel.files)
    assert (
        repo.files["README.md"].decode() == parcel.card and repo.commits == 1 and not repo.private
    )
    (id,) = receiver.hub.pull("me/shades")
    assert receiver.zoo.file(id).read_bytes() == sender.zoo.file("mine").read_bytes()
    assert receiver.answers.classify(photos / "red" / "0.png", [id])[0].adapter == id
    assert left(receiver) == [receiver.zoo.file(id)]


def test_only_what_was_shown_is_sent(stand_in, sender):
    """The zoo may change between the look and the push: another tab renames a class."""
    shown = sender.hub.preview(mine()).digest
    sender.zoo.rename_class("mine", "red", "scarlet")
    with pytest.raises(NotAllowed, match="changed since it was shown"):
        sender.hub.push(mine(), agreed=shown)
    assert stand_in.requests == []
    sender.hub.push(mine(), agreed=sender.hub.preview(mine()).digest)
    assert b"scarlet" in stand_in.repos["me/shades"].files["README.md"]


def test_a_preview_sends_nothing(stand_in, sender):
    sender.hub.preview(mine())
    assert stand_in.requests == []


def test_several_adapters_go_in_one_commit_and_some_are_taken(stand_in, sender, receiver):
    more = [sender.zoo.take(sender.zoo.file("mine")) for _ in range(3)]
    sender.hub.push(PushSpec(("mine", *more), "me/many"))
    assert stand_in.repos["me/many"].commits == 1
    assert [e.id for e in receiver.hub.adapters("me/many")] == [
        "mine",
        "mine-2",
        "mine-3",
        "mine-4",
    ]
    assert len(receiver.hub.pull("me/many", ["mine-2"])) == 1
    assert len(receiver.hub.pull("me/many")) == 4
    with pytest.raises(UnknownName, match="did you mean 'mine'"):
        receiver.hub.pull("me/many", ["mina"])


def test_a_space_of_its_own_answers_from_the_files_that_were_sent(stand_in, sender):
    onnxruntime = pytest.importorskip("onnxruntime")
    page = mine("me/page", space=True, private=True)
    shown = sender.hub.preview(page)
    assert any("No picture" in line for line in shown.disclosures)
    address = sender.hub.push(page, agreed=shown.digest)
    repo = stand_in.repos["me/page"]
    assert address == f"{stand_in.url}/spaces/me/page"
    assert (repo.kind, repo.sdk, repo.private, repo.commits) == ("space", "gradio", True, 1)
    sent = {name for name in repo.files if name != ".gitattributes"}
    assert sent == {"README.md", "app.py", "model.onnx", "requirements.txt"}
    session = onnxruntime.InferenceSession(repo.files["model.onnx"])
    assert "probabilities" in [output.name for output in session.get_outputs()]
    sender.hub.push(page)  # the same once more: the README.md there is ours
    assert repo.commits == 2


def test_a_space_that_could_not_be_filled_is_removed(stand_in, sender):
    stand_in.fail("POST", "/commit/", 403)
    with pytest.raises(HubTrouble):
        sender.hub.push(mine("me/page", space=True))
    assert "me/page" not in stand_in.repos


def test_a_search_finds_what_was_pushed_and_nothing_else(stand_in, sender, receiver):
    sender.hub.push(mine())
    sender.hub.push(mine("me/hidden", private=True))
    sender.hub.push(mine("me/page", space=True))
    stand_in.repos["you/other"] = Repo(files={"README.md": b"---\ntags:\n- vision\n---\n"})
    stand_in.repos["<b>x"] = Repo(files={"README.md": b"---\ntags:\n- peft-demo\n---\n"})
    stand_in.repos["a/b"] = Repo(files={"README.md": b"---\ntags:\n- peft-demo\n---\n"})
    found = receiver.hub.search()
    assert [repo.repo for repo in found] == ["me/shades", "a/b"], "those for backbones here first"
    card = sender.zoo.card("mine")
    assert found[0].methods == (card.method,) and found[0].backbones == (card.backbone,)
    assert [repo.repo for repo in receiver.hub.search("shade")] == ["me/shades"]
    assert receiver.hub.search("nothing like it") == []


def test_a_private_repository_is_private(stand_in, sender, receiver):
    sender.hub.push(mine(private=True))
    assert stand_in.repos["me/shades"].private
    assert receiver.hub.pull("me/shades") == ["mine"]


def test_nothing_private_goes_where_everybody_looks(stand_in, sender):
    stand_in.repos["me/shades"] = Repo()
    with pytest.raises(NotAllowed, match="everybody can see it"):
        sender.hub.push(mine(private=True))
    assert stand_in.repos["me/shades"].files == {}


def test_a_model_card_from_elsewhere_is_not_replaced(stand_in, sender):
    stand_in.repos["me/shades"] = Repo(files={"README.md": b"# years of work"})
    with pytest.raises(NotAllowed, match="would be lost"):
        sender.hub.push(mine())
    sender.hub.push(mine("me/other"))
    sender.hub.push(mine("me/other", licence="mit"))  # one of ours is
    assert b"license: mit" in stand_in.repos["me/other"].files["README.md"]


# trouble
def refused(action, kind=HubTrouble) -> str:
    """The sentence `action` ends with, which must come soon and without the token."""
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        action()
    assert time.monotonic() - began < 10
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) and "\n" not in str(
        caught.value
    )
    return str(caught.value)


def test_a_wrong_token(stand_in, sender, receiver):
    assert "hf auth login" in refused(lambda: sender.hub.push(mine(), token="hf_wrong"))
    assert stand_in.repos == {}
    sender.hub.push(mine())
    assert "does not know this token" in refused(
        lambda: receiver.hub.pull("me/shades", token="hf_wrong")
    )
    assert left(receiver) == []


def test_a_token_that_is_none_is_not_repeated(stand_in, sender):
    """As a header it is refused before anything is sent, with a message that quotes it."""
    sentence = refused(lambda: sender.hub.push(mine(), token="hf_pasted\nwith a break"))
    assert "pasted" not in sentence and stand_in.requests == []


def test_a_missing_repository_or_revision(stand_in, sender, receiver):
    assert "no repository me/nothing" in refused(lambda: receiver.hub.pull("me/nothing"))
    sender.hub.push(mine())
    assert "no such revision" in refused(lambda: receiver.hub.pull("me/shades", revision="v9"))
    assert receiver.hub.pull("me/shades", revision="main") == ["mine"]


def test_not_ones_own(stand_in, sender):
    stand_in.repos["you/shades"] = Repo()
    for repo in ("you/shades", "you/nothing"):
        assert "your own name" in refused(lambda repo=repo: sender.hub.push(mine(repo)))
    assert stand_in.repos == {"you/shades": Repo()}


@pytest.mark.parametrize("place", ["/api/repos/create", "preupload", "/objects/batch", "/commit/"])
def test_a_rate_limit_is_told_at_once_and_pushing_again_works(stand_in, sender, place):
    stand_in.fail("POST", place, 429, Retry_After="300")
    assert "in 300 seconds" in refused(lambda: sender.hub.push(mine()))
    assert "mine.safetensors" not in getattr(stand_in.repos.get("me/shades"), "files", ())
    sender.hub.push(mine())
    assert "mine.safetensors" in stand_in.repos["me/shades"].files


def test_a_rate_limit_while_pulling(stand_in, sender, receiver):
    sender.hub.push(mine())
    stand_in.fail("GET", "/api/models/", 429, ratelimit='"api";r=0;t=55')
    assert "in 55 seconds" in refused(lambda: receiver.hub.pull("me/shades"))
    assert receiver.hub.pull("me/shades") == ["mine"]


def test_a_connection_cut_once_is_taken_up_again(stand_in, sender):
    stand_in.fail("PUT", "/lfs/", CUT)
    sender.hub.push(mine())
    assert stand_in.repos["me/shades"].commits == 1


@pytest.mark.parametrize(("method", "place"), [("PUT", "/lfs/"), ("POST", "/commit/")])
def test_a_connection_that_keeps_breaking(stand_in, sender, monkeypatch, method, place):
    monkeypatch.setattr(hub_conversation, "TRIES", 2)
    stand_in.fail(method, place, CUT, times=2)
    assert "Try again" in refused(lambda: sender.hub.push(mine()))
    assert stand_in.repos == {}, "what was made for it is removed again"
    stand_in._faults.clear()
    sender.hub.push(mine())
    assert "mine.safetensors" in stand_in.repos["me/shades"].files


def test_a_repository_that_was_there_stays_when_a_push_fails(stand_in, sender):
    sender.hub.push(mine())
    before = dict(stand_in.repos["me/shades"].files)
    stand_in.fail("POST", "/commit/", 429)
    refused(lambda: sender.hub.push(mine(thumbnail=True)))
    assert stand_in.repos["me/shades"].files == before


@pytest.mark.parametrize("place", ["/api/models/", "/resolve/"])
def test_a_connection_cut_while_pulling(stand_in, sender, receiver, place):
    sender.hub.push(mine())
    stand_in.fail("GET", place, CUT, times=2)
    assert "could not be reached" in refused(lambda: receiver.hub.pull("me/shades"))
    assert left(receiver) == []
    stand_in._faults.clear()
    assert receiver.hub.pull("me/shades") == ["mine"]


def test_the_file_itself_cut_in_the_middle(stand_in, sender, receiver, monkeypatch):
    """The header came, the rest does not: the second request for the file is the one that fetches
    it."""
    sender.hub.push(mine())
    entries = hub_client.find("me/shades", "", TOKEN)
    monkeypatch.setattr(hub_client, "find", lambda *_: entries)
    stand_in.fail("GET", "/resolve/", CUT)
    refused(lambda: receiver.hub.pull("me/shades"))
    assert left(receiver) == [] and receiver.hub.pull("me/shades") == ["mine"]


def test_a_hub_with_a_problem_of_its_own(stand_in, sender, monkeypatch):
    stand_in.fail("POST", "/api/repos/create", 503)
    assert "problem of its own (503)" in refused(lambda: sender.hub.push(mine()))
    monkeypatch.setattr(hub_conversation, "TRIES", 2)
    stand_in.fail("POST", "/objects/batch", 500, times=2)
    assert "Try again" in refused(lambda: sender.hub.push(mine()))


def test_no_server(stand_in, sender, receiver):
    stand_in.close()
    assert "could not be reached" in refused(lambda: sender.hub.push(mine()))
    assert "could not be reached" in refused(lambda: receiver.hub.pull("me/shades"))


def test_a_server_that_says_nothing(stand_in, sender, monkeypatch):
    monkeypatch.setattr(hub_conversation, "SILENCE_S", 0.2)
    for method in ("do_GET", "do_POST"):
        monkeypatch.setattr(f"hub_stand_in._Handler.{method}", lambda self: time.sleep(2))
    assert "could not be reached" in refused(lambda: sender.hub.push(mine()))


def test_others_who_use_the_session_are_not_hurried(stand_in, sender):
    from huggingface_hub import get_session

    sender.hub.push(mine())
    assert get_session().get(f"{stand_in.url}/api/models/me/shades").status_code == 200
    stand_in.fail("GET", "/api/models/", 429)
    assert get_session().get(f"{stand_in.url}/api/models/me/shades").status_code == 429


# what is not asked, and not taken
def test_offline_it_says_so(stand_in, tmp_path, open_studio, adapter_file):
    offline = open_studio(tmp_path / "off", offline=True)
    id = offline.zoo.take(adapter_file)
    assert offline.hub.preview(PushSpec((id,), "me/shades")).files
    for action in (
        lambda: offline.hub.push(PushSpec((id,), "me/shades")),
        lambda: offline.hub.pull("me/shades"),
    ):
        assert "switched off" in refused(action, NotAllowed)
    assert stand_in.requests == []


def test_nobody_acts_in_the_name_of_a_shared_machine(stand_in, tmp_path, open_studio, adapter_file):
    shared = open_studio(tmp_path / "space", shared=True)
    id = shared.zoo.take(adapter_file)
    assert "nobody is logged in" in refused(
        lambda: shared.hub.push(PushSpec((id,), "me/shades")), NotAllowed
    )
    shared.hub.push(PushSpec((id,), "me/shades"), token=TOKEN)
    stand_in.requests.clear()
    shared.hub.pull("me/shades")
    assert {token for *_, token in stand_in.requests} == {""}


@pytest.mark.parametrize(
    "repo", ["", "shades", "me/", "../x", "me/../x", "a/b/c", "me/a--b", "me/x.git", "/etc/passwd"]
)
def test_only_names_of_the_hub_are_asked_for(stand_in, sender, repo):
    for action in (lambda: sender.hub.pull(repo), lambda: sender.hub.push(mine(repo))):
        with pytest.raises(BadValue, match="OWNER/NAME"):
            action()
    assert stand_in.requests == []


def test_the_address_of_a_page_is_a_name_too():
    assert mine("https://huggingface.co/me/shades/").repo == "me/shades"


def test_nothing_is_fetched_but_adapters_of_ours(stand_in, receiver, adapter_file):
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    other = struct.pack("<Q", len(header)) + header + bytes(4)
    files = {
        "model.bin": b"\x80pickle",
        "model.safetensors": other,
        "x.safetensors": b"junk",
        "config.json": b"{}",
    }
    files |= {
        "deep/mine.safetensors": adapter_file.read_bytes(),
        ".safetensors": adapter_file.read_bytes(),
    }
    stand_in.repos["me/mixed"] = Repo(files=files)
    assert receiver.hub.adapters("me/mixed") == []
    with pytest.raises(BadAdapter, match="holds no adapter"):
        receiver.hub.pull("me/mixed")
    asked = {path.rpartition("/")[2] for _, path, _ in stand_in.requests if "/resolve/" in path}
    assert asked == {"model.safetensors", "x.safetensors"}  # their headers
    stand_in.repos["me/mixed"].files["mine.safetensors"] = adapter_file.read_bytes()
    assert len(receiver.hub.pull("me/mixed")) == 1 and len(left(receiver)) == 1


def test_a_file_too_large_is_not_fetched(stand_in, receiver, adapter_file, monkeypatch):
    monkeypatch.setattr(hub_client, "LIMIT", 1000)
    stand_in.repos["me/big"] = Repo(files={"big.safetensors": adapter_file.read_bytes()})
    assert "larger than" in receiver.hub.adapters("me/big")[0].refusal
    with pytest.raises(BadAdapter, match="larger than"):
        receiver.hub.pull("me/big", ["big"])


def test_what_is_not_looked_at_says_so(stand_in, receiver, adapter_file, monkeypatch):
    whole = adapter_file.read_bytes()
    stand_in.repos["me/many"] = Repo(files={f"{name}.safetensors": whole for name in "abc"})
    monkeypatch.setattr(hub_client, "MOST", 2)
    assert [e.refusal for e in receiver.hub.adapters("me/many")] == [
        "",
        "",
        "only the first 2 files are looked at.",
    ]
    with pytest.raises(BadAdapter, match="c in me/many cannot be taken: only the first 2"):
        receiver.hub.pull("me/many", ["c"])
    assert len(receiver.hub.pull("me/many")) == 2


def test_not_more_at_once_than_a_disk_bears(stand_in, receiver, adapter_file, monkeypatch):
    whole = adapter_file.read_bytes()
    stand_in.repos["me/two"] = Repo(files={"a.safetensors": whole, "b.safetensors": whole})
    monkeypatch.setattr(hub_client, "LIMIT", len(whole))
    with pytest.raises(BadAdapter, match="at once"):
        receiver.hub.pull("me/two")
    assert len(receiver.hub.pull("me/two", ["b"])) == 1


def test_all_are_taken_or_none(stand_in, receiver, adapter_file, monkeypatch, full_disk):
    whole = adapter_file.read_bytes()
    stand_in.repos["me/two"] = Repo(files={"a.safetensors": whole, "b.safetensors": whole[:-100]})
    with pytest.raises(BadAdapter):
        receiver.hub.pull("me/two")
    assert left(receiver) == []
    stand_in.repos["me/two"].files["b.safetensors"] = whole
    with monkeypatch.context() as disk:
        written = []
        disk.setattr(os, "fsync", lambda file: full_disk() if written else written.append(file))
        with pytest.raises(CannotWrite, match="disk is full"):
            receiver.hub.pull("me/two")
    assert left(receiver) == []
    nan = whole[:-4] + struct.pack("<f", float("nan"))  # a sound header over a tensor that is not
    stand_in.repos["me/two"].files["b.safetensors"] = nan
    with pytest.raises(BadAdapter):
        receiver.hub.pull("me/two")
    assert left(receiver) == []


def test_through_the_environment_alone(stand_in, tmp_path, adapter_file):
    """A process of its own, which reads HF_ENDPOINT when it starts."""
    env = os.environ | {
        "PEFT_DEMO_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        **stand_in.environment(),
    }
    words = [sys.executable, "-m", "peft_demo", "push", str(adapter_file), "me/shades", "--yes"]
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == f"{stand_in.url}/me/shades\n", done.stderr
    assert (
        len(stand_in.repos["me/shades"].files) == 4
    )  # adapter, curves, card, and what the Hub itself put there
