"""The command line as a person types it, in this process: exit codes, one sentence, one JSON value."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from peft_demo import cli
from peft_demo.contracts.errors import BadData
from peft_demo.contracts.knobs import knobs
from peft_demo.contracts.specs import Recipe

SHADES = {"dark": 40, "light": 200}


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("shades")
    for name, shade in SHADES.items():
        (root / name).mkdir()
        for i in range(6):
            Image.new("L", (24, 24), shade + 3 * i).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def typed(home, capfd, monkeypatch):
    """*words → (exit code, standard output, standard error)."""
    for variable in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(variable, "1")

    def run(*words) -> tuple[int, str, str]:
        code = cli.run([str(w) for w in words])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def answer(typed):
    """*words → the JSON value, which must be all of standard output, on one line."""

    def run(*words):
        code, out, err = typed(*words, "--json")
        assert code == 0, err
        assert out.endswith("\n") and out.count("\n") == 1
        return json.loads(out)

    return run


def train(photos, *more) -> list:
    return [
        "train",
        "--data",
        photos,
        "--method",
        "linear",
        "--shots",
        2,
        "--size",
        32,
        "--epochs",
        2,
        *more,
    ]


# answers ----------------------------------------------------------------------------------------------------------


def test_methods(answer, typed):
    found = {
        m["name"]: m for m in answer("methods", "--backbone", "vit_base_patch16_224.orig_in21k")
    }
    assert {"linear", "full", "bitfit", "lora", "adapter", "arc"} <= set(found)
    assert found["lora"]["trainable"] == 294_912 and found["linear"]["trainable"] == 0
    assert found["adapter"]["merges"] is False and found["arc"]["merges"] is True
    assert all({"name", "trainable", "merges", "paper"} <= set(m) for m in found.values())
    assert "lora" in typed("methods")[1]


def test_lists(answer, typed):
    assert answer("backbones")[0]["source"] == "bundled"
    assert "digits" in [d["name"] for d in answer("datasets")]
    assert all("id" in entry for entry in answer("zoo"))
    for words in (["backbones"], ["datasets"], ["zoo"]):
        code, out, _ = typed(*words)
        assert code == 0 and out.strip()


def test_check(answer, typed, photos):
    report = answer("check", photos, "--shots", 2)
    assert report["classes"][0] == {"class": "dark", "found": 6, "train": 2, "val": 2, "test": 1}
    assert "ready to train" in typed("check", photos)[1]


def test_the_main_job(answer, typed, photos, home, tmp_path):
    result = answer(*train(photos))
    wanted = {
        "adapter",
        "method",
        "backbone",
        "trainable",
        "head",
        "file_bytes",
        "val_accuracy",
        "test_accuracy",
    }
    wanted |= {
        "test_images",
        "seconds",
        "images_per_second",
        "seed",
        "shots",
        "memory_mb",
        "unchanged",
    }
    assert wanted <= set(result)
    assert result["method"] == "linear" and result["trainable"] == 0 and result["test_images"] == 2
    assert 0 <= result["val_accuracy"] <= 1 and result["unchanged"] is True
    file = Path(result["file"])
    assert file.parent == home / "zoo" and file.stat().st_size == result["file_bytes"]

    (line,) = [e for e in answer("zoo") if e["id"] == result["adapter"]]
    assert line["val_accuracy"] == result["val_accuracy"] and line["refusal"] == ""

    image = photos / "dark" / "5.png"
    for adapter in (result["adapter"], file):
        said = answer("predict", adapter, image, photos / "light" / "5.png")
        assert [Path(s["image"]).name for s in said] == ["5.png", "5.png"]
        assert said[0]["label"] in SHADES and said[0]["label"] == said[0]["top"][0][0]
        assert 0 < said[0]["probability"] <= 1 and said[0]["ms"] > 0

    score = answer("evaluate", result["adapter"], "--data", photos)
    assert (
        0 <= score["accuracy"] <= 1
        and score["images"] + score["left_out"] == 12
        and score["left_out"] == 8
    )

    merged = tmp_path / "merged.safetensors"
    assert (
        answer("merge", result["adapter"], "--out", merged)["file_bytes"] == merged.stat().st_size
    )


def test_train_tells_the_command_the_file_and_that_the_backbone_is_unchanged(
    typed, photos, tmp_path
):
    out = tmp_path / "deep" / "mine.safetensors"
    code, said, progress = typed(*train(photos, "--out", out))
    assert code == 0 and out.is_file()
    assert "unchanged ✓ sha256" in said and str(out) in said
    assert f"python -m peft_demo train --method linear --data {photos.name}" in said
    assert "validation accuracy" in progress and "validation accuracy" not in said
    assert typed("predict", out, photos / "dark" / "0.png")[0] == 0


def test_zoo_folder_of_ones_own(answer, photos, tmp_path, home):
    result = answer(*train(photos, "--zoo", tmp_path / "zoo"))
    assert Path(result["file"]).parent == tmp_path / "zoo"
    assert [e["id"] for e in answer("zoo", "--zoo", tmp_path / "zoo") if not e["shipped"]] == [
        result["adapter"]
    ]
    assert not (home / "zoo").exists()


def test_every_knob_of_the_recipe_is_a_flag_and_reaches_the_card(answer, typed, photos):
    from safetensors import safe_open

    given = {
        "epochs": 2,
        "lr": 0.01,
        "batch": 3,
        "weight_decay": 0.01,
        "warmup": 0.2,
        "clip": 0.5,
        "smoothing": 0.1,
    }
    given |= {"augment": "crop"}
    assert set(given) == {k.name for k in knobs(Recipe)}
    flags = [
        word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    words = [
        "train",
        "--data",
        photos,
        "--method",
        "lora",
        "--set",
        "rank=2",
        "--shots",
        2,
        "--size",
        32,
        *flags,
    ]
    with safe_open(answer(*words)["file"], "np") as file:
        card = json.loads(file.metadata()["peft_demo"])
    assert card["spec"]["recipe"] == given
    assert card["spec"]["knobs"] == {"rank": 2} and card["knobs"]["rank"] == 2


def test_weights_of_ones_own(answer, photos, tmp_path):
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file = tmp_path / "vit_tiny_patch16_224.random.safetensors"
    save_file(timm.create_model("vit_tiny_patch16_224", num_classes=5).half().state_dict(), file)
    added = answer("backbones", "add", file, "--arch", "vit_tiny_patch16_224", "--as", "mine")
    assert added["name"] == "mine" and added["source"] == "registered"
    assert "mine" in [b["name"] for b in answer("backbones")]
    result = answer(*train(photos, "--weights", file, "--backbone", "vit_tiny_patch16_224"))
    file.unlink()
    assert answer("predict", result["adapter"], photos / "dark" / "0.png")[0]["label"] in SHADES


def test_to_peft_and_back(answer, typed, photos, tmp_path):
    words = [
        "train",
        "--data",
        photos,
        "--method",
        "lora",
        "--shots",
        2,
        "--size",
        32,
        "--epochs",
        2,
    ]
    adapter = answer(*words)["adapter"]
    image = photos / "dark" / "0.png"
    said = answer("export", adapter, "--to", "peft", "--out", tmp_path / "theirs")
    assert said["format"] == "peft" and "rank 16" in said["notes"][0]
    back = answer("import", tmp_path / "theirs", "--as", "back", "--classes", "dark, light")
    assert (
        back["adapter"] == "back"
        and back["method"] == "lora"
        and back["classes"] == ["dark", "light"]
    )
    first, second = (answer("predict", a, image)[0]["probability"] for a in (adapter, "back"))
    assert first == pytest.approx(second, abs=1e-5)
    code, _, err = typed("import", tmp_path / "theirs", "--classes", "dark")
    assert code == 2 and err.count("\n") == 1 and "head" in err


# complaints -------------------------------------------------------------------------------------------------------

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


def test_a_broken_adapter_and_a_broken_picture(typed, answer, photos, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"hello, no adapter")
    code, _, err = typed("predict", broken, photos / "dark" / "0.png")
    assert code == 2 and err.count("\n") == 1
    adapter = answer(*train(photos))["adapter"]
    code, _, err = typed("predict", adapter, broken)
    assert code == 2 and "broken.safetensors" in err


def test_data_found_wanting_in_the_run_ends_with_code_2(typed, tmp_path):
    (tmp_path / "only").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "only" / "1.png")
    code, out, err = typed("train", "--data", tmp_path, "--size", 32, "--json")
    assert code == 2 and out == "" and "class" in err.splitlines()[-1]


def test_the_first_ctrl_c_stops_and_keeps_the_best(typed, photos, monkeypatch):
    asked = []

    def interrupt(event):
        if type(event).__name__ == "Stepped" and not asked:
            asked.append(event)
            raise KeyboardInterrupt

    monkeypatch.setattr(cli.Progress, "show", lambda self, event: interrupt(event))
    code, out, _ = typed(*train(photos, "--epochs", 1000), "--json")
    result = json.loads(out)
    assert code == 0 and result["stopped"] is True and result["test_accuracy"] is None
    assert Path(result["file"]).is_file()


def test_offline_reaches_what_is_imported_later(monkeypatch):
    import os

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
    code = "import sys, peft_demo.cli as c; c.run(['--help']); sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "train" in done.stdout, done.stderr


# the Hugging Face Hub ---------------------------------------------------------------------------------------------


@pytest.fixture
def shared(stand_in, typed, photos, home, monkeypatch):
    """The home has an adapter "one"; commands reach the stand-in."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    made = home / "made.safetensors"
    assert typed(*train(photos), "--out", made)[0] == 0
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
    assert answer("push", "one", "me/shades", "--yes", "--private") == {
        "url": f"{shared.url}/me/shades"
    }
    assert shared.repos["me/shades"].private


def test_pull_takes_the_one_or_lists_the_many(shared, typed, answer, home):
    whole = (home / "zoo" / "one.safetensors").read_bytes()
    typed("push", "one", "me/shades", "--yes")
    (id,) = answer("pull", "me/shades")["adapters"]
    assert (home / "zoo" / f"{id}.safetensors").read_bytes() == whole
    shared.repos["me/shades"].files["two.safetensors"] = whole
    assert [e["id"] for e in answer("pull", "me/shades")] == ["one", "two"]
    assert "name some of them" in typed("pull", "me/shades")[1]
    assert len(answer("pull", "me/shades", "two")["adapters"]) == 1
    assert len(answer("pull", "me/shades", "--all", "--revision", "main")["adapters"]) == 2


def test_what_the_hub_refuses_is_one_sentence(shared, typed):
    for words in (
        ["pull", "me/none"],
        ["pull", "x"],
        ["push", "one", "you/x", "--yes"],
        ["push", "me/x", "--yes"],
    ):
        code, out, err = typed(*words)
        assert (
            (code, out) == (2, "")
            and "Traceback" not in err
            and err.strip().splitlines()[-1].count(". ") <= 2
        )
