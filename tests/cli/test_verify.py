"""`verify`: 0 where all is as it was, 1 where it is not, 2 where it cannot be told."""

import json

import pytest

from peft_demo.adapters import AdapterFile
from peft_demo.studio.adapter_store import SHIPPED

SHIPPED_ONE = SHIPPED / "linear-digits-s0.safetensors"


@pytest.fixture
def tampered(tmp_path):
    """The same file with another row in the place of what it answered."""
    file = AdapterFile.open(SHIPPED_ONE)
    logits = file.tensors()["probe_logits"].flip(1)
    path = tmp_path / "tampered.safetensors"
    path.write_bytes(file.with_probe_logits(logits).content)
    return path


def test_an_adapter_of_the_zoo_or_a_file_verifies(answer, typed):
    value = answer("verify", "linear-digits-s0")
    assert value["agrees"] and value["difference"] < 1e-2 * value["tolerance"]
    code, out, _ = typed("verify", SHIPPED_ONE)
    assert code == 0 and out.startswith("It answers as it did when it was made")


def test_what_is_wrong_is_said_and_the_exit_code_is_1(typed, tampered):
    code, out, _ = typed("verify", tampered)
    assert code == 1 and "otherwise" in out and "another order" in out
    code, out, _ = typed("verify", tampered, "--json")
    assert code == 1 and json.loads(out)["agrees"] is False


def test_what_cannot_be_told_is_a_sentence(typed, tmp_path):
    for word in ("no-such-adapter", tmp_path):
        code, out, err = typed("verify", word)
        assert code == 2 and not out and err.count("\n") == 1
    code, _, err = typed("verify", SHIPPED_ONE, "--out", tmp_path / "a.safetensors")
    assert code == 2 and "says already" in err
