"""The adapter a run goes on from: JSON both ways, in the command, and nothing private leaves."""

import json

import pytest

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import RunSpec

SHA = "0123456789abcdef" * 4


def test_a_run_without_an_origin_is_written_as_before():
    assert not {"from", "origin"} & RunSpec().to_json().keys()


def test_an_origin_is_json_both_ways():
    run = RunSpec("arc", origin=Origin("arc-digits-s0", SHA))
    plain = json.loads(json.dumps(run.to_json()))
    assert plain["from"] == {"adapter": "arc-digits-s0", "sha256": SHA}
    assert RunSpec.from_json(plain) == run


def test_the_command_names_it_in_place_of_what_comes_from_it():
    run = RunSpec("arc", {"rank": 4}, backbone="b", size=64, origin=Origin("arc-digits-s0", SHA))
    assert run.command() == (
        "python -m peft_demo train --from arc-digits-s0 --from-sha256 0123456789abcdef"
        " --data digits --shots 16 --seed 0"
    )


@pytest.mark.parametrize(
    "path", ["/home/me/secret/mine.safetensors", r"C:\secret\mine.safetensors"]
)
def test_the_folder_of_a_file_stays_at_home(path):
    run = RunSpec("arc", origin=Origin(path, SHA))
    assert "secret" not in json.dumps(run.public().to_json())
    assert run.public() == run.public().public()
    assert "secret" not in run.command() and "--from mine.safetensors" in run.command()
    assert run.origin.name == "mine"


@pytest.mark.parametrize(
    "plain",
    [
        3,
        "a",
        [],
        {},
        {"adapter": ""},
        {"adapter": 3},
        {"adapter": "a\u202e"},
        {"adapter": "a", "sha256": "xyz"},
        {"adapter": "a", "sha256": None},
        {"adapter": "a", "colour": 1},
    ],
)
def test_an_odd_origin_is_a_sentence(plain):
    with pytest.raises(BadValue):
        RunSpec.from_json({**RunSpec().to_json(), "from": plain})


def test_an_origin_under_another_key_is_refused():
    with pytest.raises(BadValue):
        RunSpec.from_json({**RunSpec().to_json(), "origin": {"adapter": "a"}})
