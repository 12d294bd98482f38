"""VTAB-1k: 19 tasks of 1000 training images each.

Zhai et al., "A Large-scale Study of Representation Learning with the Visual Task Adaptation
Benchmark", 2019. Laid out as NOAH, SPT, RLRR and PETL-ViT have it:

    ROOT/TASK/{train800,val200,train800val200,test}.txt    lines "images/train800/000000.jpg 3"
    ROOT/TASK/images/{train800,val200,train800val200,test}/

The 1000 are a copy of the 800 and the 200 under numbers of their own. Equal pictures are part of
the benchmark: nothing is left out.
"""

from pathlib import Path

from ...contracts.errors import BadData
from ...data import Example
from .task import Benchmark, Task, examples

NATURAL = {
    "cifar": (100, 10_000),
    "caltech101": (102, 6_085),
    "dtd": (47, 1_880),
    "oxford_flowers102": (102, 6_149),
    "oxford_iiit_pet": (37, 3_669),
    "svhn": (10, 26_032),
    "sun397": (397, 21_750),
}
SPECIALISED = {
    "patch_camelyon": (2, 32_768),
    "eurosat": (10, 5_400),
    "resisc45": (45, 6_300),
    "diabetic_retinopathy": (5, 42_670),
}
STRUCTURED = {
    "clevr_count": (8, 15_000),
    "clevr_dist": (6, 15_000),
    "dmlab": (6, 22_735),
    "kitti": (4, 711),
    "dsprites_loc": (16, 73_728),
    "dsprites_ori": (16, 73_728),
    "smallnorb_azi": (18, 12_150),
    "smallnorb_ele": (9, 12_150),
}
"""Task → classes and test images, for each group."""
GROUPS = {"natural": NATURAL, "specialised": SPECIALISED, "structured": STRUCTURED}
LABEL_DIGITS = 9
LISTS = {"train800": 800, "val200": 200, "train800val200": 1_000}


def read(folder: Path, task: Task, part: str) -> list[Example]:
    """The pictures of a list. Raises `BadData`, naming the line that is ill-formed."""
    try:
        lines = (folder / f"{part}.txt").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadData(f"{task.name}: {part}.txt is missing or no text.") from None
    rows = [_row(task, part, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return examples(folder, task, part, rows)


def _row(task: Task, part: str, number: int, line: str) -> tuple[str, int]:
    path, _, label = line.strip().rpartition(" ")
    if not path or not label.isdecimal() or len(label) > LABEL_DIGITS:
        raise BadData(f'{task.name}: line {number} of {part}.txt is no "path label": {line!r:.80}.')
    return path, int(label)


VTAB = Benchmark(
    name="vtab",
    title="VTAB-1k",
    tasks=tuple(
        Task(name, group, classes, {**LISTS, "test": test})
        for group, tasks in GROUPS.items()
        for name, (classes, test) in tasks.items()
    ),
    tuning="train=train800,val=val200",
    testing="train=train800val200,test=test",
    read=read,
    marker="train800.txt",
)
