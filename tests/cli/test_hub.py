"""`push` and `pull`, with a Hub on this machine."""

import io

import pytest


@pytest.fixture
def shared(stand_in, typed, train, home, monkeypatch):
    """The home has an adapter "one"; commands reach the stand-in."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    made = home / "made.safetensors"
    assert typed(*train("--out", made))[0] == 0
    (home / "zoo").mkdir()
    made.rename(home / "zoo" / "one.safetensors")
    return stand_in


def test_push_shows_asks_and_sends(shared, typed, answer, monkeypatch):
    code, out, _ = typed("push", "one", "me/shades", "--dry-run")
    assert code == 0 and "dark, light" in out and "one.safetensors" in out and "license:" in out
    assert answer("push", "--all", "me/shades", "--dry-run")["files"][0][0] == "one.safetensors"
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, err = typed("push", "one", "me/shades")
    assert (code, out) == (2, "") and "dark, light" in err and "nothing was sent" in err
    assert shared.requests == []
    value = answer("push", "one", "me/shades", "--yes", "--private")
    assert value == {"url": f"{shared.url}/me/shades"}
    assert shared.repos["me/shades"].private


def test_pull_takes_the_one_or_lists_the_many(shared, typed, answer, home):
    content = (home / "zoo" / "one.safetensors").read_bytes()
    typed("push", "one", "me/shades", "--yes")
    (id,) = answer("pull", "me/shades")["adapters"]
    assert (home / "zoo" / f"{id}.safetensors").read_bytes() == content
    shared.repos["me/shades"].files["two.safetensors"] = content
    assert [entry["id"] for entry in answer("pull", "me/shades")] == ["one", "two"]
    assert "name some of them" in typed("pull", "me/shades")[1]
    assert len(answer("pull", "me/shades", "two")["adapters"]) == 1
    assert len(answer("pull", "me/shades", "--all", "--revision", "main")["adapters"]) == 2


def test_search_finds_what_was_pushed(shared, typed, answer):
    typed("push", "one", "me/shades", "--yes")
    (found,) = answer("search")
    assert found["repo"] == "me/shades" and len(found["backbones"]) == 1
    assert "pull REPO" in typed("search", "shade")[1]
    assert "Nothing is found" in typed("search", "else")[1] and answer("search", "else") == []


REFUSED = [
    ["pull", "me/none"],
    ["pull", "x"],
    ["push", "one", "you/x", "--yes"],
    ["push", "me/x", "--yes"],
]


def test_what_the_hub_refuses_is_one_sentence(shared, typed):
    for words in REFUSED:
        code, out, err = typed(*words)
        assert (code, out) == (2, "") and "Traceback" not in err
        assert err.strip().splitlines()[-1].count(". ") <= 2
