"""Bad input is one sentence and exit code 2. Nothing heavy is imported before a command runs."""

import os
import subprocess
import sys

import pytest

from peft_demo import cli
from peft_demo.contracts.errors import BadData

BAD = {
    "no command": (["nope"], "nope"),
    "no data": (["train"], "--data"),
    "an unknown flag": (["methods", "--nope"], "--nope"),
    "a word for a number": (["train", "--data", "digits", "--shots", "many"], "--shots"),
    "an unknown method": (["train", "--data", "digits", "--method", "lroa"], "did you mean 'lora'"),
    "an unknown knob": (["train", "--data", "digits", "--set", "rnk=2"], "rank"),
    "a knob out of range": (["train", "--data", "digits", "--set", "rank=-1"], "rank takes"),
    "a setting without value": (["train", "--data", "digits", "--set", "rank"], "knob=value"),
    "a recipe out of range": (["train", "--data", "digits", "--epochs", "0"], "epochs takes"),
    "no such dataset": (["train", "--data", "digts"], "digits"),
    "no such folder": (["check", "/nowhere/at/all"], "nowhere"),
    "no such backbone": (["methods", "--backbone", "nope"], "no backbone 'nope'"),
    "a size the patches do not divide": (["train", "--data", "digits", "--size", "33"], "33 px"),
    "no such adapter to go on from": (
        ["train", "--data", "digits", "--from", "nope"],
        "no adapter 'nope'",
    ),
    "a sum of nothing": (["train", "--data", "digits", "--from-sha256", "0" * 16], "--from"),
    "no such adapter": (["predict", "nope", "x.png"], "no adapter 'nope'"),
    "no such adapter file": (
        ["evaluate", "./nope.safetensors", "--data", "digits"],
        "nope.safetensors",
    ),
    "no such weights": (
        ["backbones", "add", "nope.safetensors", "--arch", "vit_tiny_patch16_224"],
        "nope.safetensors",
    ),
    "no out": (["merge", "nope"], "--out"),
    "nothing to export": (["export", "nope", "--to", "peft", "--out", "x"], "no adapter 'nope'"),
    "no format to export to": (["export", "nope", "--out", "x"], "--to"),
    "nothing to import": (["import", "nowhere"], "nowhere"),
    "the Hub when offline": (["check", "hf:somebody/something", "--offline"], "network"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(typed, name):
    words, expected = BAD[name]
    code, out, err = typed(*words)
    assert code == 2 and out == ""
    assert expected in err and err.count("\n") == 1 and "Traceback" not in err


def test_offline_reaches_what_is_imported_later(monkeypatch):
    seen = {}

    class Studio:
        def __init__(self, zoo, offline, allow_local_paths):
            seen.update(offline=offline, hub=os.environ.get("HF_HUB_OFFLINE"))
            raise BadData("enough.")

    monkeypatch.setattr("peft_demo.studio.Studio", Studio)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "0")
    assert cli.run(["zoo", "--offline"]) == 2
    assert seen == {"offline": True, "hub": "1"}


def test_help_is_quick_nothing_heavy_is_imported():
    code = (
        "import sys, peft_demo.cli as cli; cli.run(['--help']);"
        "sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "train" in done.stdout, done.stderr
