"""`train`: what it takes and answers, what Ctrl-C does, and the commands that use its adapter."""

import json
import os
import signal
from pathlib import Path

from PIL import Image

from peft_demo.cli.progress import Progress
from peft_demo.contracts.events import Stepped
from peft_demo.contracts.knobs import knobs
from peft_demo.contracts.specs import PRECISIONS, Recipe

FIELDS = {
    "adapter",
    "method",
    "backbone",
    "trainable",
    "head",
    "file_bytes",
    "val_accuracy",
    "test_accuracy",
    "test_images",
    "seconds",
    "images_per_second",
    "seed",
    "shots",
    "memory_mb",
    "unchanged",
}


def test_the_main_job(answer, train, photos, home, tmp_path):
    result = answer(*train())
    assert set(result) >= FIELDS
    assert result["method"] == "linear" and result["trainable"] == 0 and result["test_images"] == 2
    assert 0 <= result["val_accuracy"] <= 1 and result["unchanged"] is True
    parts = [result[name] for name in ("learning_s", "validation_s", "end_s")]
    assert all(parts) and sum(parts) <= result["seconds"] and result["precision"] in PRECISIONS
    file = Path(result["file"])
    assert file.parent == home / "zoo" and file.stat().st_size == result["file_bytes"]

    (entry,) = [e for e in answer("zoo") if e["id"] == result["adapter"]]
    assert entry["val_accuracy"] == result["val_accuracy"] and entry["refusal"] == ""

    for adapter in (result["adapter"], file):
        pictures = [photos / "dark" / "5.png", photos / "light" / "5.png"]
        answers = answer("predict", adapter, *pictures)
        assert [Path(a["image"]).name for a in answers] == ["5.png", "5.png"]
        assert answers[0]["label"] in ("dark", "light")
        assert answers[0]["label"] == answers[0]["top"][0][0]
        assert 0 < answers[0]["probability"] <= 1 and answers[0]["ms"] > 0

    score = answer("evaluate", result["adapter"], "--data", photos)
    assert 0 <= score["accuracy"] <= 1
    assert score["images"] + score["left_out"] == 12 and score["left_out"] == 8
    assert score["right"] == round(score["accuracy"] * score["images"])
    assert [entry["name"] for entry in score["classes"]] == ["dark", "light"]
    low, high = score["interval"]
    assert 0 <= low <= score["accuracy"] <= high <= 1 and 0 <= score["macro_f1"] <= 1

    words = ("evaluate", result["adapter"], "--data", photos, "--against", file)
    against = answer(*words)["against"]
    assert against["difference"] == 0 and against["both"] == score["right"]

    merged = tmp_path / "merged.safetensors"
    value = answer("merge", result["adapter"], "--out", merged)
    assert value["file_bytes"] == merged.stat().st_size


def test_train_tells_the_command_the_file_and_that_the_backbone_is_unchanged(
    typed, train, photos, tmp_path
):
    out = tmp_path / "deep" / "mine.safetensors"
    code, text, progress = typed(*train("--out", out))
    assert code == 0 and out.is_file()
    assert "unchanged ✓ sha256" in text and str(out) in text
    assert f"python -m peft_demo train --method linear --data {photos.name}" in text
    assert "validation accuracy" in progress and "validation accuracy" not in text
    assert typed("predict", out, photos / "dark" / "0.png")[0] == 0


def test_every_knob_of_the_recipe_is_a_flag_and_reaches_the_card(answer, photos):
    from safetensors import safe_open

    recipe = {
        "epochs": 2,
        "lr": 0.01,
        "head_lr": 0.02,
        "batch": 3,
        "weight_decay": 0.01,
        "warmup": 0.2,
        "clip": 0.5,
        "smoothing": 0.1,
        "precision": "fp32",
        "memory": "low",
        "graph": "on",
        "keep": "last",
        "optimizer": "sgd",
        "min_lr": 1e-4,
        "decayed": "all",
        "stochastic_depth": 0.1,
        "dropped": "entries",
        "normalisation": "half",
        "head_start": "normal",
        "augment": "crop",
        "balance": "weights",
        "patience": 3,
    }
    assert set(recipe) == {knob.name for knob in knobs(Recipe)}
    words = ["train", "--data", photos, "--method", "lora", "--set", "rank=2"]
    words += ["--shots", 2, "--size", 32]
    for name, value in recipe.items():
        words += [f"--{name.replace('_', '-')}", value]
    with safe_open(answer(*words)["file"], "np") as file:
        card = json.loads(file.metadata()["peft_demo"])
    assert card["spec"]["recipe"] == recipe
    assert card["spec"]["knobs"] == {"rank": 2} and card["knobs"]["rank"] == 2


def test_weights_of_ones_own(answer, train, photos, tmp_path):
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file = tmp_path / "vit_tiny_patch16_224.random.safetensors"
    save_file(timm.create_model("vit_tiny_patch16_224", num_classes=5).half().state_dict(), file)
    added = answer("backbones", "add", file, "--arch", "vit_tiny_patch16_224", "--as", "mine")
    assert added["name"] == "mine" and added["source"] == "registered"
    assert "mine" in [backbone["name"] for backbone in answer("backbones")]
    result = answer(*train("--weights", file, "--backbone", "vit_tiny_patch16_224"))
    file.unlink()
    (prediction,) = answer("predict", result["adapter"], photos / "dark" / "0.png")
    assert prediction["label"] in ("dark", "light")


def test_data_found_wanting_in_the_run_ends_with_code_2(typed, tmp_path):
    (tmp_path / "only").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "only" / "1.png")
    code, out, err = typed("train", "--data", tmp_path, "--size", 32, "--json")
    assert code == 2 and out == "" and "class" in err.splitlines()[-1]


def test_the_first_ctrl_c_stops_and_keeps_the_best(typed, train, monkeypatch):
    pressed = []

    def press_once(_, event):
        if isinstance(event, Stepped) and not pressed:
            pressed.append(event)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Progress, "show", press_once)
    code, out, _ = typed(*train("--epochs", 1000), "--json")
    result = json.loads(out)
    assert code == 0 and result["stopped"] is True and result["test_accuracy"] is None
    assert Path(result["file"]).is_file()


def test_resume_goes_on_with_the_latest_run_that_was_interrupted(answer, train, typed, home):
    """And says so where there is none, or where the run has ended."""
    code, _, err = typed("resume")
    assert code == 2 and "no run was interrupted" in err
    whole = answer(*train())
    (spec,) = home.glob("runs/*/spec.json")
    run = spec.parent
    code, _, err = typed("resume", run.name)
    assert code == 2 and "this run has ended" in err
    Path(whole["file"]).unlink()
    journal = run / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    result = answer("resume")
    assert result["adapter"] == whole["adapter"] and not result["stopped"]
    assert result["val_accuracy"] == whole["val_accuracy"]
    assert len(list(home.glob("zoo/*.safetensors"))) == 1


def test_a_run_goes_on_from_an_adapter_and_its_command_repeats_it(answer, typed, train, photos):
    first = answer(*train())
    words = ["train", "--data", photos, "--shots", 2, "--epochs", 1, "--from"]
    second = answer(*words, first["adapter"])
    assert (second["method"], second["size"], second["from"]) == ("linear", 32, first["adapter"])
    (line,) = [entry for entry in answer("zoo") if entry["id"] == second["adapter"]]
    assert line["from"] == first["adapter"]
    code, out, _ = typed(*words, first["file"])
    assert code == 0 and f"went on from {Path(first['file']).stem}" in out
    again = out.partition("--from-sha256 ")[2].split()[0]
    assert typed(*words, first["file"], "--from-sha256", again)[0] == 0
    for more, sentence in (
        (["--from-sha256", "0" * 16], "no longer the file"),
        (["--method", "lora"], "an adapter of linear"),
        (["--size", 48], "was trained at 32 px"),
    ):
        code, _, err = typed(*words, first["adapter"], *more)
        assert code == 2 and sentence in err


def test_settings_are_tried_and_the_card_says_so(answer, typed, train):
    result = answer(*train("--tune", 3, method="lora"))
    assert [trial["trial"] for trial in result["trials"]] == [1, 2, 3]
    assert result["trials"][0]["settings"].startswith("lr ")
    best = [trial for trial in result["trials"] if trial["best"]][-1]
    (line,) = [entry for entry in answer("zoo") if entry["id"] == result["adapter"]]
    assert line["trials"] == 3 and line["val_accuracy"] == result["val_accuracy"]
    code, out, err = typed(*train("--tune", 3, method="lora"))
    assert code == 0 and "tries 3 settings" in err and "trial 2 of 3: lr" in err
    assert "tuned     best of 3 settings on" in out
    rows = out.splitlines()[1:4]
    assert rows[best["trial"] - 1].endswith("kept") and out.count("kept") == 1
    assert "--tune" not in out.splitlines()[-1], "the command repeats the best trial alone"
    assert typed(*train("--tune", 1))[0] == 2


def test_a_run_that_cannot_go_on_says_why_and_can_be_tried_again(train, typed, photos, tmp_path):
    import shutil

    own = tmp_path / "own"
    shutil.copytree(photos, own)
    words = train("--out", tmp_path / "mine.safetensors")
    words[words.index(photos)] = own
    assert typed(*words)[0] == 0
    (journal,) = (tmp_path / "home").glob("runs/*/events.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    (tmp_path / "mine.safetensors").unlink()
    own.rename(tmp_path / "elsewhere")
    for _ in range(2):
        code, out, err = typed("resume")
        assert code == 2 and out == "" and "own" in err.splitlines()[-1]
    (tmp_path / "elsewhere").rename(own)
    assert typed("resume")[0] == 0 and (tmp_path / "mine.safetensors").is_file()
