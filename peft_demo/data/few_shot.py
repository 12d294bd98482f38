"""Which images are chosen. Per class, in this order:

    test         the given test/, else a fifth held out (at least one); none if there are fewer than three images
    train        K shots of what is left
    validation   at most K of a given val/, else of what is left then

An image's place in the queue is a hash of its name and the seed. So the choice does not depend on the order in which
files are listed, the test images are the same for every K, and the 4-shot images are among the 8-shot ones.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice

import numpy as np
from PIL import Image

from ..contracts.cards import ClassCount, DataReport
from ..contracts.errors import BadData, BadImage
from ..contracts.progress import Report
from ..contracts.text import is_visible, quoted
from .dataset import Dataset, Example
from .images import THREADS, decode, open_header, thumbnail
from .layout import listed

MAX_TEST = 5_000
"""Test images of all classes together: enough to know an accuracy to within 1.4 points, and they fit into memory."""
_TWIN_BITS = 10
_TWIN_COLOUR = 8
_TWIN_SIDE = 32
"""Near-duplicates: at most so many of 128 bits of the difference hash differ (a photo saved again stays below 6,
different ones above 18), and so many 255ths of colour (root mean square over 8 × 8 places; saved again 2, drawings on
the same plain paper 11). Pictures with fewer pixels a side are too alike."""
_MAX_USELESS = 1_000
_MAX_REJECTS_SHOWN = 200


@dataclass(frozen=True)
class Split:
    """The chosen images, class by class, all of them readable and no two the same."""

    classes: tuple[str, ...]
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    test: tuple[Example, ...]
    notices: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    """(file, reason) of images that had been chosen and turned out damaged, or the same as another."""
    problem: str = ""
    """Why this cannot be trained on, empty if it can."""

    @property
    def fingerprint(self) -> str:
        """SHA-256, hex, over class, part and digest of all chosen images."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        lines = sorted(
            f"{p} {self.classes[e.label]} {e.digest}" for p, chosen in parts.items() for e in chosen
        )
        return sha256("\n".join(lines).encode()).hexdigest()

    @property
    def seen(self) -> tuple[str, ...]:
        """Digests of the training and validation images, sorted."""
        return tuple(sorted(e.digest for e in self.train + self.val))


def split(dataset: Dataset, shots: int, seed: int, report: Report | None = None) -> Split:
    """Chooses `shots` training images per class, validation and test images by the rules above.

    Never raises for a poor dataset: `problem` says what is wrong. Chosen images are decoded once, to be sure; a damaged
    one, or one that shows up twice, is rejected and the choice made as if it had never been there. Raises `BadData`
    when there is no end of damaged ones.
    """
    queue = _queue(dataset.examples, seed)
    looks = {}
    rejected = {}
    while True:
        chosen = _choose(dataset.classes, [e for e in queue if e not in rejected], shots)
        fresh = [e for e in chain(*chosen) if e not in looks]
        if not (useless := _look(fresh, looks, report) | _repeated(chosen, looks)):
            break
        rejected |= useless
        if len(rejected) > _MAX_USELESS:
            raise BadData(
                f"more than {_MAX_USELESS} of these pictures are damaged or the same.",
                "Check the files.",
            )
    return _split(dataset, shots, chosen, looks, rejected)


def readable(
    examples: Iterable[Example],
) -> tuple[tuple[Example, ...], tuple[tuple[str, str], ...]]:
    """The examples whose pictures can be decoded, and (file, reason) of the others."""
    looks = {}
    examples = list(examples)
    bad = _look(examples, looks, None)
    return tuple(e for e in examples if e in looks), tuple(
        (e.name, reason) for e, reason in bad.items()
    )


def report_of(dataset: Dataset, split: Split) -> DataReport:
    """What a person should know before training: counts, four previews a class, rejects, notices, the problem."""
    rejected = dataset.rejected + split.rejected
    if more := rejected[_MAX_REJECTS_SHOWN:]:
        rejected = (*rejected[:_MAX_REJECTS_SHOWN], (f"and {len(more)} more", more[0][1]))
    return DataReport(
        title=dataset.title,
        counts=_class_counts(dataset, split),
        rejected=rejected,
        notices=dataset.notices + split.notices,
        problem=split.problem,
        columns=dataset.columns,
        image_column=dataset.image_column,
        label_column=dataset.label_column,
    )


# the choice -------------------------------------------------------------------------------------------------------

Chosen = tuple[list[Example], list[Example], list[Example]]
"""train, val, test"""


def _queue(examples: Sequence[Example], seed: int) -> list[Example]:
    return sorted(examples, key=lambda e: (sha256(f"{seed} {e.name}".encode()).digest(), e.name))


def _choose(classes: Sequence[str], queue: list[Example], shots: int) -> Chosen:
    by_class = [[] for _ in classes]
    for example in queue:
        by_class[example.label].append(example)
    most = max(1, MAX_TEST // max(1, len(classes)))
    divided = [_divide(examples, shots, most) for examples in by_class]
    train, val, test = ([e for d in divided for e in d[part]] for part in range(3))
    return train, val, test


def _divide(examples: list[Example], shots: int, most: int) -> Chosen:
    """(train, val, test) of one class, from its images in queue order."""
    val, test = ([e for e in examples if e.part == part] for part in ("val", "test"))
    rest = [e for e in examples if e.part in ("", "train")]
    if not test and len(rest) >= 3:
        held = max(1, len(rest) // 5)
        test = rest[:held]
        rest = rest[held:]
    train, rest = _shots(rest, shots, val)
    return train, (val or rest)[:shots], test[:most]


def _shots(
    rest: list[Example], shots: int, val: list[Example]
) -> tuple[list[Example], list[Example]]:
    """All shots asked for where there are so many; where not, one image is left to validate on."""
    if len(rest) < shots and not val:
        shots = max(1, len(rest) - 1)
    return rest[:shots], rest[shots:]


# a look at what was chosen ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    digest: str
    hash: np.ndarray
    """uint64 [2], see `difference_hash`."""
    colours: np.ndarray
    """float32 [192], the picture in 8 × 8 pixels."""
    large: bool
    """Whether there are pixels enough to tell near-duplicates from pictures that are alike by nature."""


def _look(
    examples: list[Example], looks: dict[Example, _Look], report: Report | None
) -> dict[Example, str]:
    """Decodes the examples, fills `looks`, and gives back those that cannot be decoded, with the reason."""
    bad = {}
    with ThreadPoolExecutor(THREADS) as threads:
        for n, (example, look) in enumerate(
            zip(examples, threads.map(_try, examples), strict=True)
        ):
            if report and n % 50 == 0:
                report("checking the chosen pictures", n / len(examples))
            if isinstance(look, BadImage):
                bad[example] = look.sentence
            else:
                looks[example] = look
    return bad


def _try(example: Example) -> _Look | BadImage:
    try:
        image = open_header(example.read())
        large = min(image.size) >= _TWIN_SIDE
        image.draft(
            "RGB", (64, 64)
        )  # JPEG decodes to an eighth of the size: as sure to find damage, and much faster
        image = decode(image)
        colours = np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=np.float32).ravel()
        return _Look(example.digest, difference_hash(image), colours, large)
    except BadImage as error:
        return error


def _repeated(chosen: Chosen, looks: dict[Example, _Look]) -> dict[Example, str]:
    """Examples whose file was chosen before under another name. A given test set stays whole: it comes first."""
    train, val, test = chosen
    first = {}
    repeated = {}
    for example in (e for e in chain(test, train, val) if e in looks):
        other = first.setdefault(looks[example].digest, example)
        if other != example:
            repeated[example] = f"the same picture as {other.name}."
    return repeated


def difference_hash(image: Image.Image) -> np.ndarray:
    """dHash: uint64 [2], whether brightness rises from each of 8 × 8 places to the next, rightwards and downwards."""
    grey = np.asarray(image.convert("L").resize((9, 9), Image.Resampling.BOX), dtype=np.int16)
    right = grey[:8, 1:] > grey[:8, :-1]
    down = grey[1:, :8] > grey[:-1, :8]
    return np.packbits(np.concatenate([right, down], axis=None)).view(np.uint64)


def _twins(chosen: Chosen, looks: dict[Example, _Look]) -> list[tuple[Example, Example]]:
    """(seen, test) pairs that look almost the same."""
    train, val, test = ([e for e in part if looks[e].large] for part in chosen)
    seen = train + val
    found = []
    if not seen:
        return []
    hashes, colours = (
        np.stack([getattr(looks[e], name) for e in seen]) for name in ("hash", "colours")
    )
    for example in test:
        look = looks[example]
        alike = np.flatnonzero(np.bitwise_count(hashes ^ look.hash).sum(1) <= _TWIN_BITS)
        distance = np.square(colours[alike] - look.colours).mean(1) ** 0.5
        found += [(seen[i], example) for i in alike[distance <= _TWIN_COLOUR]]
    return found


# what to say about it ---------------------------------------------------------------------------------------------


def _split(
    dataset: Dataset, shots: int, chosen: Chosen, looks: dict, rejected: dict[Example, str]
) -> Split:
    train, val, test = map(tuple, chosen)
    notices = [
        _shots_notice(dataset.classes, train, shots),
        _missing_notice(dataset.classes, val, "validation"),
        _missing_notice(dataset.classes, test, "test"),
        _twins_notice(_twins(chosen, looks)),
        _limit_notice(dataset, test),
    ]
    names = tuple((e.name, reason) for e, reason in rejected.items())
    problem = _problem(dataset, train)
    return Split(dataset.classes, train, val, test, tuple(filter(None, notices)), names, problem)


def _problem(dataset: Dataset, train: Sequence[Example]) -> str:
    if not dataset.classes:
        return "No class was found. Put the pictures of each class into a folder named after it."
    if len(dataset.classes) == 1:
        return f"There is only one class, {dataset.classes[0]!r}; telling apart takes at least two."
    for name in dataset.classes:
        if not is_visible(name):
            return f"The class name {quoted(name)} has a character that cannot be seen. Rename it."
    counts = _counts(dataset.classes, train)
    if empty := [name for name, count in counts.items() if not count]:
        return f"No picture to train on in {listed(empty)}. Add some, or remove the class."
    return ""


def _shots_notice(classes: Sequence[str], train: Sequence[Example], shots: int) -> str:
    fewer = {name: n for name, n in _counts(classes, train).items() if 0 < n < shots}
    if not fewer:
        return ""
    shown = [f"{name!r} has {n}" for name, n in islice(fewer.items(), 5)]
    shown += [f"{len(fewer) - 5} more classes have fewer too"] if len(fewer) > 5 else []
    return f"Fewer than {shots} shots to train on: {', '.join(shown)}."


def _missing_notice(classes: Sequence[str], chosen: Sequence[Example], part: str) -> str:
    missing = [name for name, count in _counts(classes, chosen).items() if not count]
    if not classes or not missing:
        return ""
    if not chosen:
        return f"No {part} images: {part} accuracy is not measured."
    return f"No {part} images of {listed(missing)}: there, {part} accuracy is not measured."


def _twins_notice(twins: list[tuple[Example, Example]]) -> str:
    if not twins:
        return ""
    shown = "; ".join(f"{seen.name} and {test.name}" for seen, test in twins[:3])
    more = f" and {len(twins) - 3} more" if len(twins) > 3 else ""
    pairs = "near-duplicate" if len(twins) == 1 else "near-duplicates"
    return f"{len(twins)} {pairs} between training or validation and test images: {shown}{more}."


def _limit_notice(dataset: Dataset, test: Sequence[Example]) -> str:
    given = sum(e.part == "test" for e in dataset.examples)
    return (
        f"Of {given} test images {len(test)} are used."
        if given > len(test) >= MAX_TEST * 0.9
        else ""
    )


def _counts(classes: Sequence[str], examples: Iterable[Example]) -> dict[str, int]:
    counts = Counter(e.label for e in examples)
    return {name: counts[label] for label, name in enumerate(classes)}


def _class_counts(dataset: Dataset, split: Split) -> tuple[ClassCount, ...]:
    useless = {name for name, _ in split.rejected}
    found = _counts(dataset.classes, (e for e in dataset.examples if e.name not in useless))
    train, val, test = (
        _counts(dataset.classes, part) for part in (split.train, split.val, split.test)
    )
    shown = {name: [] for name in dataset.classes}
    for example in split.train + split.val + split.test:
        shown[dataset.classes[example.label]].append(example)
    return tuple(
        ClassCount(c, found[c], train[c], val[c], test[c], _previews(shown[c]))
        for c in dataset.classes
    )


def _previews(examples: Sequence[Example], most: int = 4) -> tuple[bytes, ...]:
    return tuple(thumbnail(decode(e.read())) for e in examples[:most])
