"""Small trees in the layouts of VTAB-1k and FGVC: drawn pictures, one class missing from the
training images, classes of unequal size, equal pictures in training and test."""

import json
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

COLOURS = ["red", "green", "blue", "yellow", "purple", "orange"]
VTAB_SIZES = {"train800": 16, "val200": 8, "test": 24}
FGVC_SIZES = {"train": 16, "val": 8, "test": 24}


def draw(path: Path, label: int, chance: Random) -> None:
    """A disc of the class's colour, somewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (40, 30), (chance.randrange(60),) * 3)
    x, y = chance.randrange(20), chance.randrange(10)
    ImageDraw.Draw(image).ellipse((x, y, x + 18, y + 18), fill=COLOURS[label % len(COLOURS)])
    image.save(path, quality=90)


def labels(count: int, classes: int, chance: Random, missing: int = -1) -> list[int]:
    """Of class 0 twice as many as of the others; none of the missing one."""
    known = [0, *(label for label in range(classes) if label != missing)]
    return (
        [known[n % len(known)] for n in range(count)]
        if missing >= 0
        else [chance.choice(known) for _ in range(count)]
    )


def vtab(root: Path, task: str, classes: int) -> Path:
    """A task: the last class is missing from the training images, the test images have it."""
    chance = Random(task)
    folder = root / task
    lists = {}
    for part, count in VTAB_SIZES.items():
        missing = -1 if part == "test" else classes - 1
        own = labels(count, classes, chance, missing)
        if part == "test":
            own[-1] = classes - 1
        for number, label in enumerate(own):
            draw(folder / f"images/{part}/{number:06d}.jpg", label, chance)
        lists[part] = own
    both = [("train800", n, c) for n, c in enumerate(lists["train800"])]
    both += [("val200", n, c) for n, c in enumerate(lists["val200"])]
    for number, (part, old, _) in enumerate(both):
        content = (folder / f"images/{part}/{old:06d}.jpg").read_bytes()
        new = folder / f"images/train800val200/{number:06d}.jpg"
        new.parent.mkdir(exist_ok=True)
        new.write_bytes(content)
    lists["train800val200"] = [label for _, _, label in both]
    (folder / "images/test/000000.jpg").write_bytes(
        (folder / "images/train800/000000.jpg").read_bytes()
    )
    lists["test"][0] = lists["train800"][0]
    for part, own in lists.items():
        rows = [f"images/{part}/{number:06d}.jpg {label}\n" for number, label in enumerate(own)]
        (folder / f"{part}.txt").write_text("".join(rows))
    return folder


def fgvc(root: Path, name: str, base: str, pattern: str, classes: int = 3) -> Path:
    """A set whose class ids begin at 1 and leave one out."""
    chance = Random(name)
    folder = root / name
    ids = [1, 2, 4, 5][:classes]
    for part, count in FGVC_SIZES.items():
        rows = {}
        for number in range(count):
            label = number % classes if part == "test" else min(number % (classes + 1), classes - 1)
            path = pattern.format(part=part, n=number, c=ids[label])
            draw(folder / base / path, label, chance)
            rows[path] = ids[label]
        (folder / f"{part}.json").write_text(json.dumps(rows))
    return folder
