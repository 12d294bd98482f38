"""Whole runs of ours beside those of a script with timm and peft."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from peft_demo.bench import running
from peft_demo.bench.processes import PYTHON, Ended, run
from peft_demo.contracts.errors import BadBackbone, BadData, PeftDemoError
from peft_demo.contracts.specs import DataSpec, Recipe
from peft_demo.data import open_dataset, split
from peft_demo.data.tensors import stack
from peft_demo.methods import find_method
from peft_demo.storage.home import Home
from peft_demo.training.schedule import factor
from peft_demo.vit import find, load, register

ARCH = "vit_tiny_patch16_224"
COLOURS = ("red", "green", "blue")
SIDE = 24
OURS = {
    "what": "ours",
    "seconds": 10.0,
    "start_s": 4.0,
    "learning_s": 3.0,
    "validation_s": 2.0,
    "end_s": 1.0,
    "precision": "bf16",
    "test_accuracy": 0.9,
    "test_images": 100,
}
THEIRS = {**OURS, "what": "theirs", "seconds": 20.0, "precision": "fp32", "test_accuracy": 0.85}


def silent(what, fraction=-1.0):
    pass


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder of three classes with twelve noisy pictures each."""
    for name in COLOURS:
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(12):
            noise = Image.effect_noise((SIDE, SIDE + n), 40).convert("RGB")
            plain = Image.new("RGB", noise.size, name)
            Image.blend(noise, plain, 0.5).save(tmp_path / "photos" / name / f"{n}.png")
    return tmp_path / "photos"


def chosen_of(folder, shots=2):
    data = DataSpec("folder", str(folder), shots, 0)
    dataset = open_dataset(data, folder)
    return data, dataset, split(dataset, shots, 0)


def test_train_chooses_the_pictures_that_were_written(photos, tmp_path):
    _, _, chosen = chosen_of(photos)
    running.write_images(chosen, tmp_path / "images")
    _, _, again = chosen_of(tmp_path / "images")
    assert len(again.classes) == len(COLOURS) and not again.problem
    for part in ("train", "val", "test"):
        wanted, labels = stack(getattr(chosen, part), SIDE)
        written, same = stack(getattr(again, part), SIDE)
        assert len(wanted) and sorted(labels.tolist()) == sorted(same.tolist())
        assert {bytes(image.numpy()) for image in wanted} == {bytes(i.numpy()) for i in written}


def test_a_class_without_pictures_in_a_part_is_refused(photos, tmp_path):
    _, _, chosen = chosen_of(photos)
    without = replace(chosen, val=tuple(e for e in chosen.val if e.label != 1))
    with pytest.raises(BadData, match=r"'green' has no picture for val.*Take fewer shots"):
        running.write_images(without, tmp_path / "images")
    picture = chosen.train[0]
    twice = replace(chosen, test=(*chosen.test, replace(picture, name="again.png")))
    with pytest.raises(BadData, match=r"again\.png shows the same as .*Remove one"):
        running.write_images(twice, tmp_path / "images")
    with pytest.raises(BadData, match="too few"):
        running.write_images(replace(chosen, problem="there are too few."), tmp_path / "images")


def test_the_script_gets_the_recipe_of_train(tmp_path):
    data = DataSpec("bundled", "digits", 4, 3)
    backbone = load(home=tmp_path, device="cpu")
    task = running.Task(tmp_path, data, Recipe(epochs=7), find("", tmp_path), backbone)
    settings = json.loads(json.dumps(task.settings(tmp_path / "out")))
    assert (settings["lr"], settings["head_lr"]) == (1e-3, 1e-3)
    assert settings["alpha"] / settings["rank"] == 10.0
    assert (settings["epochs"], settings["seed"], settings["size"]) == (7, 3, 112)
    assert settings["mean"] == list(backbone.mean)
    words = task.words()
    assert words[words.index("--epochs") + 1] == "7" and "--backbone" not in words


def test_a_run_is_read_from_its_last_line():
    answer = {"learning_s": 3.0, "validation_s": 2.0, "end_s": 1.0, "precision": "fp32"}
    answer |= {"test_accuracy": 0.5, "test_images": 8, "adapter": "mine"}
    row = running.row("ours", Ended(10.0, f"epoch 1\n{json.dumps(answer)}\n"))
    assert row["start_s"] == 4.0 and row["seconds"] == 10.0
    assert "adapter" not in row


def test_medians_of_the_turns_without_the_first(photos, monkeypatch, home):
    epochs = []
    times = iter([99.0, 8.0, 12.0, 10.0])

    def ours(task):
        epochs.append(task.recipe.epochs)
        return {**OURS, "seconds": next(times)}

    monkeypatch.setattr(running, "_ours", ours)
    monkeypatch.setattr(running, "_theirs", lambda task: THEIRS)
    data, dataset, _ = chosen_of(photos)
    answer = running.measure(dataset, data, "", Home(home, home), Recipe(epochs=5), 3, silent)
    assert epochs == [1, 5, 5, 5]
    assert answer["ratios"] == [0.4, 0.6, 0.5] and answer["ratio"] == 0.5
    assert [row["seconds"] for row in answer["runs"]] == [10.0, 20.0]


def test_it_is_told_in_a_table_and_a_sentence():
    cells = running.printed([OURS, THEIRS])
    assert cells[0] == (
        *("ours", "10.0", "4.0", "3.0", "2.0", "1.0", "bf16"),
        "90.0 % (83 to 94)",
    )
    assert len(cells[0]) == len(running.HEAD)
    answer = {"runs": [OURS, THEIRS], "ratio": 0.5, "ratios": [0.4, 0.5, 0.6]}
    told = running.summary(answer)
    assert "0.50 times as long as the script (0.40 to 0.60 over 3 turns)" in told
    assert "tell no difference" in told
    worse = {**THEIRS, "test_accuracy": 0.5}
    assert "do not overlap" in running.summary({**answer, "runs": [OURS, worse]})


def test_without_peft_it_says_how_to_install_it(photos, monkeypatch, home):
    monkeypatch.setattr(running, "find_spec", lambda name: None)
    data, dataset, _ = chosen_of(photos)
    with pytest.raises(PeftDemoError, match=r"peft is not installed.*pip install"):
        running.measure(dataset, data, "", Home(home, home), Recipe(), 1, silent)


def test_a_download_is_refused_at_once(photos, home):
    data, dataset, _ = chosen_of(photos)
    name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    with pytest.raises(BadBackbone, match="is a download"):
        running.measure(dataset, data, name, Home(home, home), Recipe(), 1, silent)


def test_a_command_that_fails_is_told_by_its_last_line(tmp_path):
    code = "import sys; print('on its way', file=sys.stderr); sys.exit('no such thing.')"
    with pytest.raises(PeftDemoError, match=r"failed: no such thing\.$"):
        run(PYTHON, (code,), tmp_path)
    with pytest.raises(PeftDemoError, match="failed: it said nothing"):
        run(PYTHON, ("raise SystemExit(3)",), tmp_path)
    assert run(PYTHON, ("print(7); raise SystemExit(3)",), tmp_path, code=3).out == "7\n"


WAITS = """
import sys
from pathlib import Path
from peft_demo.bench.processes import PYTHON, run
child = "import time; line = open('line', 'w', 1); print('here', file=line); time.sleep(60)"
run(PYTHON, (child,), Path(sys.argv[1]))
"""
"""Its child holds a line open for as long as it lives."""


def test_ctrl_c_leaves_no_process(tmp_path):
    os.mkfifo(tmp_path / "line")
    waiting = subprocess.Popen([sys.executable, "-c", WAITS, str(tmp_path)], stderr=subprocess.PIPE)
    with open(tmp_path / "line") as line:
        assert line.readline() == "here\n"
        waiting.send_signal(signal.SIGINT)
        _, complaint = waiting.communicate(timeout=30)
        assert b"KeyboardInterrupt" in complaint
        start = time.monotonic()
        assert line.read() == "", "the child ends"
        assert time.monotonic() - start < 30


@pytest.mark.slow
def test_whole_runs_of_both_on_a_backbone_of_ones_own(photos, home, tmp_path):
    torch.manual_seed(0)
    model = timm.create_model(ARCH, num_classes=0, img_size=64)
    save_file(model.state_dict(), tmp_path / "own.safetensors")
    register(tmp_path / "own.safetensors", home, ARCH, "own")
    data, dataset, _ = chosen_of(photos)
    recipe = Recipe(epochs=1, precision="fp32")
    answer = running.measure(dataset, data, "own", Home(home, home), recipe, 1, silent)
    own, theirs = answer["runs"]
    assert own["test_images"] == theirs["test_images"] == 6
    assert own["precision"] == theirs["precision"] == "fp32"
    assert all(run[name] > 0 for run in (own, theirs) for name in running.TIMES)
    assert answer["ratio"] == own["seconds"] / theirs["seconds"]
    assert not (home / "runs").exists()


@pytest.mark.slow
def test_the_script_does_what_train_does(photos, tmp_path, monkeypatch, capfd):
    """As many numbers, the same rates, the best state kept; it learns what a child sees."""
    from peft_demo.bench import peft_script

    data, _, chosen = chosen_of(photos, shots=4)
    backbone = load(home=tmp_path, device="cpu")
    task = running.Task(tmp_path, data, Recipe(epochs=4), find("", tmp_path), backbone)
    running.write_images(chosen, task.images)
    settings = {**task.settings(tmp_path / "out"), "device": "cpu"}
    assert [peft_script.factor(n, 30, 0.1) for n in range(30)] == [
        factor(n, 30, 0.1) for n in range(30)
    ]
    peft_script.main(settings)
    answer = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert answer["test_accuracy"] == 1.0 and answer["test_images"] == 6
    saved = load_file(tmp_path / "out" / "adapter_model.safetensors")
    lora = sum(t.numel() for name, t in saved.items() if "lora_" in name)
    method = find_method("lora")
    assert lora == method.count(backbone.anatomy, method.config({}))
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}
