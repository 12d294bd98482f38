"""FGVC: five fine-grained sets with the splits of VPT.

Jia et al., "Visual Prompt Tuning", ECCV 2022. SET/{train,val,test}.json is one object
{"path": class id}; ids are numbered in ascending order. Paths are below the set's folder or below
its `images/` or `Images/`.

Pictures are squeezed to a square of 8/7 of the image side, and its middle is tested on: 256 and 224
pixels, as in the code of RLRR, AOFT and SPT. (ARC and VPT resize the short side to 256.)
"""

import json
from functools import lru_cache
from pathlib import Path

from ...contracts.errors import BadData
from ...data import Example
from ...data.sources import leads_out, parts_of
from ...data.tensors import WINDOW
from .task import Benchmark, Task, examples

SETS = {
    "CUB_200_2011": (200, 5_394, 600, 5_794, ("cub",)),
    "nabirds": (555, 21_536, 2_393, 24_633, ("NABirds",)),
    "OxfordFlowers": (102, 1_020, 1_020, 6_149, ("OxfordFlower",)),
    "StanfordDogs": (120, 10_800, 1_200, 8_580, ("Stanford-dogs",)),
    "StanfordCars": (196, 7_329, 815, 8_041, ("Stanford-cars",)),
}
"""Set → classes, pictures of train, val and test, other spellings of its folder."""
LISTS = ("train", "val", "test")
ROOTS = ("", "images", "Images")
"""Where the paths begin, below the set's folder."""


def read(folder: Path, task: Task, part: str) -> list[Example]:
    """The pictures of a list. Raises `BadData`."""
    labels = _labels(folder, task.name)
    rows = _read_list(folder, task.name, part)
    first = next(iter(rows))
    base = "" if leads_out(parts_of(first)) else _base(folder, task.name, first)
    return examples(folder, task, part, [(base + path, labels[id]) for path, id in rows.items()])


@lru_cache
def _labels(folder: Path, name: str) -> dict[int, int]:
    """Class id → label, over all lists."""
    ids = {id for part in LISTS for id in _read_list(folder, name, part).values()}
    return {id: label for label, id in enumerate(sorted(ids))}


def _read_list(folder: Path, name: str, part: str) -> dict[str, int]:
    try:
        rows = json.loads((folder / f"{part}.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise BadData(f"{name}: {part}.json is missing or no JSON.") from None
    ids = rows.values() if isinstance(rows, dict) else [None]
    if not rows or not all(type(id) in (int, str) for id in ids):
        raise BadData(f'{name}: {part}.json is not one object {{"path": class id}}.')
    try:
        return {path: int(id) for path, id in rows.items()}
    except ValueError:
        raise BadData(f"{name}: a class id of {part}.json is no number.") from None


def _base(folder: Path, name: str, path: str) -> str:
    for root in ROOTS:
        if (folder / root / path).is_file():
            return f"{root}/" if root else ""
    raise BadData(f"{name}: there is no picture {path!r:.80}, nor below images/ or Images/.")


FGVC = Benchmark(
    name="fgvc",
    title="FGVC",
    tasks=tuple(
        Task(name, "fgvc", classes, {"train": train, "val": val, "test": test}, folders)
        for name, (classes, train, val, test, folders) in SETS.items()
    ),
    tuning="train=train,val=val",
    testing="train=train+val,test=test",
    read=read,
    marker="train.json",
    margin=1 / WINDOW,
)
