"""The benchmarks of the field are read with their official splits: VTAB-1k by its lists, FGVC by
its JSON files."""

import json

import pytest
from pictures import arranged, flags, places, png, write_folder

from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset, report_of, split

LISTS = {"train800": 8, "val200": 2, "train800val200": 10, "test": 6}
"""Lines of each list; the real ones are a hundred times as long, but for the test."""


def vtab(task: str = "") -> tuple[list[str], dict[str, str]]:
    """(pictures, lists) of a task's folder as `research` repositories have it: each split has
    pictures of its own, numbered from 000000, and the 1000 are a copy of the 800 and the 200."""
    names = []
    texts = {}
    for part, lines in LISTS.items():
        paths = [f"images/{part}/{n:06d}.jpg" for n in range(lines)]
        names += [f"{task}{path}" for path in paths]
        rows = [f"{path} {n % 2}\n" for n, path in enumerate(paths)]
        texts[f"{task}{part}.txt"] = "".join(rows)
    return names, texts


def test_a_task_of_vtab_1k_is_read_by_its_lists():
    dataset = arranged(*vtab())
    assert dataset.official and dataset.classes == ("0", "1")
    assert places(dataset) == {
        "train": {"0": 4, "1": 4},
        "val": {"0": 1, "1": 1},
        "test": {"0": 3, "1": 3},
    }
    assert "train800→train, val200→validation and test" in dataset.reading
    assert not dataset.doubt and not dataset.problem


def test_the_thousand_of_vtab_can_be_trained_on():
    dataset = arranged(*vtab(), splits="train=train800val200,test=test")
    assert places(dataset) == {"train": {"0": 5, "1": 5}, "test": {"0": 3, "1": 3}}


def test_several_tasks_are_several_sets():
    cifar, dtd = vtab("cifar/"), vtab("dtd/")
    dataset = arranged(cifar[0] + dtd[0], cifar[1] | dtd[1])
    assert dataset.problem == "This holds several sets: 'cifar', 'dtd'. Name one of them."


def test_equal_pictures_of_a_benchmark_stay_where_they_are(tmp_path):
    """dSprites holds identical pictures in training and test: the test set stays as published."""
    names, texts = vtab()
    files = {name: png(number % 3, 8) for number, name in enumerate(names)}
    files |= {name: text.encode() for name, text in texts.items()}
    dataset = open_dataset(DataSpec("folder", "task"), write_folder(tmp_path / "task", files))
    chosen = split(dataset, 4, 0)
    counts = [(c.train, c.val, c.test) for c in report_of(dataset, chosen).counts]
    assert counts == [(4, 1, 3)] * 2 and not chosen.rejected


FGVC = {
    "CUB_200_2011": ("images/", "{c:03d}.Bird_{c}/{n}.jpg"),
    "OxfordFlowers": ("", "jpg/image_{c}{n}.jpg"),
    "StanfordDogs": ("Images/", "n0{c}-dog_{c}/n0{c}_{n}.jpg"),
    "StanfordCars": ("", "car_ims/{c}{n}.jpg"),
    "nabirds": ("images/", "0{c}/{n}abc.jpg"),
}
"""Folder → (where the pictures lie, how the JSON names them)."""


@pytest.mark.parametrize("name", FGVC)
def test_a_set_of_fgvc_is_read_by_its_json(name):
    root, pattern = FGVC[name]
    parts = {"train": range(4), "val": range(4, 5), "test": range(5, 8)}
    lists = {
        part: {pattern.format(c=c, n=n): c for c in (1, 2, 3) for n in numbers}
        for part, numbers in parts.items()
    }
    texts = {f"{part}.json": json.dumps(paths) for part, paths in lists.items()}
    texts["trainval.json"] = json.dumps(lists["train"] | lists["val"])
    names = [root + path for paths in lists.values() for path in paths]
    dataset = arranged(names, texts)
    assert dataset.official and len(dataset.classes) == 3
    counts = {part: set(found.values()) for part, found in places(dataset).items()}
    assert counts == {"train": {4}, "val": {1}, "test": {3}}
    assert dataset.reading.startswith("three splits, train, val→validation and test")


def test_folders_name_the_classes_of_a_benchmark_that_has_them():
    names = [f"images/{bird}/{n}.jpg" for bird in ("001.Wren", "002.Jay") for n in range(4)]
    texts = {
        "train.json": json.dumps({name[7:]: int(name[7:10]) for name in names[::2]}),
        "test.json": json.dumps({name[7:]: int(name[7:10]) for name in names[1::2]}),
    }
    dataset = arranged(names, texts)
    assert dataset.classes == ("001.Wren", "002.Jay")
    assert flags(dataset) == ["--classes-from folder"]
