"""VTAB-1k and FGVC by one command on stand-ins: tuned, trained again, tested; stopped and gone on
with; every figure of the table is found again without the code that made it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean

import pytest
import torch
from PIL import Image

from peft_demo import library

FEW = ["--size", 32, "--epochs", 1, "--trials", 2, "--decoders", 0]
NATURAL = ("cifar", "caltech101", "dtd", "oxford_flowers102", "oxford_iiit_pet", "svhn", "sun397")
SPECIALISED = ("patch_camelyon", "eurosat", "resisc45", "diabetic_retinopathy")
STRUCTURED = ("clevr_count", "clevr_dist", "dmlab", "kitti")
STRUCTURED += ("dsprites_loc", "dsprites_ori", "smallnorb_azi", "smallnorb_ele")
GROUPS = {"natural": NATURAL, "specialised": SPECIALISED, "structured": STRUCTURED}


def lines_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def accuracy(folder: Path, file: Path, rows: list[tuple[str, int]], side: int = 32) -> str:
    """Which pictures an adapter has right, by Pillow and the library alone."""
    adapter = library.load(file)
    backbone = library.load_backbone(size=32, offline=True)
    model = library.attach(backbone, adapter).attached.model
    mean_, std = (torch.tensor(v).view(3, 1, 1) for v in (adapter.card.mean, adapter.card.std))
    right = []
    for path, label in rows:
        small = Image.open(folder / path).convert("RGB").resize((side, side), Image.BICUBIC)
        if side > 32:
            edge = (side - 32) // 2
            small = small.crop((edge, edge, edge + 32, edge + 32))
        pixels = torch.tensor(list(small.tobytes()), dtype=torch.float32).view(32, 32, 3)
        image = (pixels.permute(2, 0, 1) / 255 - mean_) / std
        with torch.no_grad():
            right.append(int(model(image[None]).argmax() == label))
    return "".join(map(str, right))


@pytest.mark.slow
def test_all_of_vtab_is_chosen_trained_again_and_tested(typed, vtab_root, home, tmp_path):
    kept = tmp_path / "adapters"
    words = ["bench", "vtab", "--root", vtab_root, "--methods", "linear,ln", *FEW]
    code, out, err = typed(*words, "--adapters", kept, "--json")
    assert code == 0, err
    value = json.loads(out)
    lines = lines_of(home / "vtab.jsonl")
    tested = {(line["method"], line["data"]): line for line in lines if line["test_images"]}
    trials = [line for line in lines if not line["test_images"]]
    assert len(tested) == 2 * 19 and len(trials) == 2 * 2 * 19
    assert all(t["val_images"] == 8 and t["spec"]["recipe"]["keep"] == "last" for t in trials)
    assert all(t["lists"] == "train=train800,val=val200" for t in trials)

    for (method, task), line in tested.items():
        assert line["lists"] == "train=train800val200,test=test" and line["val_images"] == 0
        own = [t for t in trials if (t["method"], t["data"]) == (method, task)]
        best = max(own, key=lambda t: t["val_accuracy"])
        assert line["spec"]["recipe"] == best["spec"]["recipe"], "the better trial is trained again"
        assert {"torch", "timm", "peft_demo"} <= line["versions"].keys() and line["hardware"]

    for task in ("kitti", "sun397"):
        rows = [row.split() for row in (vtab_root / task / "test.txt").read_text().splitlines()]
        line = tested["ln", task]
        file = kept / line["file"]
        right = accuracy(vtab_root / task, file, [(path, int(label)) for path, label in rows])
        assert right == line["right"] and len(right) == 24
    assert len(library.load(kept / tested["ln", "sun397"]["file"]).card.classes) == 397

    for row in value["methods"]:
        own = {
            t: line["right"].count("1") / 24
            for (m, t), line in tested.items()
            if m == row["method"]
        }
        assert {t: f["accuracy"] for t, f in row["tasks"].items()} == pytest.approx(own)
        groups = {group: mean(own[t] for t in tasks) for group, tasks in GROUPS.items()}
        assert {g: f["accuracy"] for g, f in row["groups"].items()} == pytest.approx(groups)
        assert row["group_mean"]["accuracy"] == pytest.approx(mean(groups.values()))
        assert row["task_mean"]["accuracy"] == pytest.approx(mean(own.values()))
        other = {
            t: line["right"].count("1") / 24
            for (m, t), line in tested.items()
            if m != row["method"]
        }
        ranks = [1 if own[t] > other[t] else 2 if own[t] < other[t] else 1.5 for t in own]
        assert row["rank"] == pytest.approx(mean(ranks)) and row["trials"] == 2
    assert any("not the published lists" in note for note in value["notes"])

    size = (home / "vtab.jsonl").stat().st_size
    code, out, err = typed(*words, "--format", "csv")
    assert code == 0 and (home / "vtab.jsonl").stat().st_size == size, "nothing is run twice"
    linear, ln, *published = list(csv.DictReader(io.StringIO(out)))
    assert ln["mean of 19"] == f"{100 * value['methods'][1]['task_mean']['accuracy']:.2f}"
    assert linear["method"] == "linear" and [row["method"] for row in published] == [
        "linear, Jia 2022"
    ]
    latex = typed(*words, "--format", "latex", "--picture", tmp_path / "ranks.svg")[1]
    assert f"ln {value['methods'][1]['rank']:.2f}" in (tmp_path / "ranks.svg").read_text()
    assert latex.startswith("\\begin{tabular}") and "oxford\\_iiit\\_pet" in latex
    assert latex.count("\\\\") == 4
    assert "| ln |" in typed(*words, "--format", "markdown")[1]


def test_a_set_of_fgvc_is_tested_in_the_middle_of_its_pictures(typed, fgvc_root, home, tmp_path):
    kept = tmp_path / "adapters"
    words = ["bench", "fgvc", "--root", fgvc_root, "--methods", "ln", *FEW, "--seeds", 2]
    words += ["--tasks", "CUB_200_2011,StanfordCars", "--epochs", 3, "--best-test-epoch"]
    code, out, err = typed(*words, "--adapters", kept, "--json")
    assert code == 0, err
    value = json.loads(out)
    (row,) = value["methods"]
    tested = [line for line in lines_of(home / "fgvc.jsonl") if line["test_images"]]
    assert len(row["tasks"]) == 2 and len(tested) == 4
    added = [line["best_state_test_accuracy"] - line["test_accuracy"] for line in tested]
    assert min(added) >= 0
    assert f"would have added {100 * mean(added):.1f} points to ln, mean of 4 of 4" in str(value)
    birds = [line for line in tested if line["data"] == "CUB_200_2011"]
    assert [line["seed"] for line in birds] == [0, 1]
    rates = row["tasks"]["CUB_200_2011"]
    assert rates["accuracy"] == pytest.approx(mean(line["test_accuracy"] for line in birds))
    rows = json.loads((fgvc_root / "CUB_200_2011/test.json").read_text())
    numbered = {1: 0, 2: 1, 4: 2}
    listed = [(f"images/{path}", numbered[id]) for path, id in rows.items()]
    right = accuracy(fgvc_root / "CUB_200_2011", kept / birds[1]["file"], listed, side=37)
    assert right == birds[1]["right"]
    recipe = birds[0]["spec"]["recipe"]
    assert recipe["augment"] == "window+flip" and birds[0]["lists"] == "train=train+val,test=test"


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_two_at_a_time_and_ends_with_the_same_table(
    vtab_root, tmp_path
):
    def command(home: str, *more: str) -> list[str]:
        words = [
            "bench",
            "vtab",
            "--root",
            vtab_root,
            "--methods",
            "linear,ln",
            "--tasks",
            "kitti,dtd",
        ]
        file = tmp_path / f"{home}.jsonl"
        return [
            sys.executable,
            "-m",
            "peft_demo",
            *map(str, [*words, *FEW, "--results", file, *more]),
        ]

    environment = {**os.environ, "PEFT_DEMO_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    whole = subprocess.run(
        command("whole", "--json"), env=environment, capture_output=True, text=True
    )
    assert whole.returncode == 0, whole.stderr
    running = subprocess.Popen(command("killed"), env=environment, stderr=subprocess.DEVNULL)
    file = tmp_path / "killed.jsonl"
    while not file.exists() or len(file.read_text().splitlines()) < 3:
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = len(lines_of(file))
    assert 3 <= before < 12
    again = subprocess.run(
        command("killed", "--json", "--workers", "2"),
        env=environment,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert len(lines_of(file)) == 12 == len({line["id"] for line in lines_of(file)})
    first, second = (json.loads(done.stdout)["methods"] for done in (whole, again))
    assert first == second
