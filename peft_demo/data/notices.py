"""What there is to say about a choice of images, and the report that a person reads before
training."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

import numpy as np
from PIL import Image

from ..contracts.cards import ClassCount, DataReport
from ..contracts.text import is_visible, quoted
from ..contracts.window import Window
from .chosen import COPIES_LISTED, Chosen, LeftOut, Split
from .corrections import key
from .dataset import Dataset, Example
from .images import decode, open_header, thumbnail
from .looks import Looks
from .names import listed, plural
from .window_notices import window_notices

_TWIN_BITS = 10
"""Near-duplicates: at most so many of 128 bits of the difference hash differ. A photo saved again
stays below 6, different ones above 18.
"""
_TWIN_COLOUR = 8
"""Near-duplicates: at most so many 255ths of colour between them (root mean square over 8 × 8
places). Saved again 2, drawings on the same plain paper 11.
"""
_MAX_REJECTS_SHOWN = 200
_COMPARED = 4
PREVIEWS = 4
"""Pictures of a class that a report shows."""


def make_split(
    dataset: Dataset, shots: int, chosen: Chosen, looks: Looks, left_out: LeftOut
) -> Split:
    """The chosen images with all that there is to say about them."""
    train = tuple(chosen.train)
    val = tuple(chosen.val)
    test = tuple(chosen.test)
    blank = [example for example in chosen if looks.seen[example].flat]
    empty = [example for example in chosen if looks.seen[example].empty]
    validation = _validation_notice(val, test)
    sentences = [
        _shots_notice(dataset.classes, train, shots),
        _missing_notice(dataset.classes, val, "validation"),
        _missing_notice(dataset.classes, test, "test"),
        validation,
        "" if dataset.official else _twins_notice(_twins(chosen, looks)),
        _limit_notice(dataset, chosen),
        _copies_notice(left_out),
        _disagreement_notice(left_out),
        *window_notices(chosen, looks),
        _blank_notice(blank),
        _empty_notice(empty),
    ]
    return Split(
        dataset.classes,
        train,
        val,
        test,
        notices=tuple(filter(None, sentences)),
        rejected=left_out.listed,
        problem=_problem(dataset, train, blank),
        doubt=" ".join(filter(None, (_blank_notice(blank), _empty_notice(empty)))),
        validation=validation,
        window=looks.window,
        windowed=tuple(example for example in train if looks.seen[example].windowed),
    )


def report_of(dataset: Dataset, split: Split) -> DataReport:
    """What a person should know before training: the reading, counts, previews, rejects, notices,
    the problem."""
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
        reading=dataset.reading,
        alternatives=dataset.alternatives,
        doubt=" ".join(filter(None, (dataset.doubt, split.doubt))),
        window=split.window,
        comparisons=_comparisons(split),
    )


# problems ---------------------------------------------------------------------------------------


def _problem(dataset: Dataset, train: Sequence[Example], blank: Sequence[Example]) -> str:
    if len(dataset.classes) < 2:
        return _too_few_classes(dataset)
    for name in dataset.classes:
        if not is_visible(name):
            return f"The class name {quoted(name)} has a character that cannot be seen. Rename it."
    counts = _counts(dataset.classes, train)
    if empty := [name for name, count in counts.items() if not count]:
        return f"No picture to train on in {listed(empty)}. Add some, or remove the class."
    nothing = _counts(dataset.classes, (example for example in train if example in blank))
    if empty := [name for name, count in counts.items() if nothing[name] == count]:
        return f"All training pictures of {listed(empty)} are blank."
    return ""


def _too_few_classes(dataset: Dataset) -> str:
    if not dataset.classes:
        advice = "Put the pictures of each class into a folder named after it."
        return f"No class was found. {dataset.problem or advice}"
    only = f"There is only one class, {dataset.classes[0]!r}; telling apart takes at least two."
    return f"{only} {dataset.problem}".strip()


# notices ----------------------------------------------------------------------------------------


def _shots_notice(classes: Sequence[str], train: Sequence[Example], shots: int) -> str:
    fewer = {name: n for name, n in _counts(classes, train).items() if 0 < n < shots}
    if not fewer:
        return ""
    shown = [f"{name!r} has {n}" for name, n in islice(fewer.items(), 5)]
    if len(fewer) > 5:
        shown.append(f"{len(fewer) - 5} more classes have fewer too")
    return f"Fewer than {shots} shots to train on: {', '.join(shown)}."


def _missing_notice(classes: Sequence[str], chosen: Sequence[Example], part: str) -> str:
    missing = [name for name, count in _counts(classes, chosen).items() if not count]
    if not classes or not missing:
        return ""
    if not chosen:
        return f"No {part} images: {part} accuracy is not measured."
    return f"No {part} images of {listed(missing)}: there, {part} accuracy is not measured."


def _validation_notice(val: Sequence[Example], test: Sequence[Example]) -> str:
    """A sentence where the set gives test images of their own, and none to validate on."""
    split_off = any(example.part != "val" for example in val)
    given = any(example.part == "test" for example in test)
    if not split_off or not given:
        return ""
    return (
        "The validation images come from the training part of this set and may be easier than "
        "its test images, which are a part of their own."
    )


def _twins(chosen: Chosen, looks: Looks) -> list[tuple[Example, Example]]:
    """(seen, test) pairs that look almost the same."""
    seen = [e for e in chain(chosen.train, chosen.val) if looks.seen[e].large]
    if not seen:
        return []
    hashes = np.stack([looks.seen[example].hash for example in seen])
    colours = np.stack([looks.seen[example].colours for example in seen])
    twins = []
    for example in chosen.test:
        look = looks.seen[example]
        if not look.large:
            continue
        alike = np.flatnonzero(np.bitwise_count(hashes ^ look.hash).sum(1) <= _TWIN_BITS)
        distance = np.square(colours[alike] - look.colours).mean(1) ** 0.5
        twins += [(seen[i], example) for i in alike[distance <= _TWIN_COLOUR]]
    return twins


def _twins_notice(twins: list[tuple[Example, Example]]) -> str:
    if not twins:
        return ""
    shown = "; ".join(f"{_short(seen)} and {_short(test)}" for seen, test in twins[:3])
    more = f" and {len(twins) - 3} more" if len(twins) > 3 else ""
    pairs = "near-duplicate" if len(twins) == 1 else "near-duplicates"
    return f"{len(twins)} {pairs} between training or validation and test images: {shown}{more}."


def _short(example: Example) -> str:
    """Its name; of a photo that goes by its SHA-256 (a person's own on the page) the beginning."""
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", example.name)


def _limit_notice(dataset: Dataset, chosen: Chosen) -> str:
    """A sentence where a given test set is cut; what is held out here may well be."""
    given = sum(example.part == "test" for example in dataset.examples)
    if not given or not chosen.cut:
        return ""
    return f"Of {given} test images {len(chosen.test)} are used."


def _copies_notice(left_out: LeftOut) -> str:
    if len(left_out.copies) <= COPIES_LISTED:
        return ""
    originals = len(set(left_out.copies.values()))
    return (
        f"{len(left_out.copies):,} of the pictures looked at are copies of {originals:,} others; "
        "each picture is used once."
    )


def _disagreement_notice(left_out: LeftOut) -> str:
    if not left_out.disagreements:
        return ""
    names = [example.name for example in left_out.disagreements]
    return (
        f"{plural(len(names), 'file')} with the same picture under different classes left out on "
        f"both sides: {listed(names)}."
    )


def _blank_notice(blank: Sequence[Example]) -> str:
    if not blank:
        return ""
    names = listed(example.name for example in blank)
    return (
        f"{plural(len(blank), 'picture')} blank once made plain RGB: {names}. "
        "Another window of values or ground colour may show them."
    )


def _empty_notice(empty: Sequence[Example]) -> str:
    if not empty:
        return ""
    names = listed(example.name for example in empty)
    return f"{plural(len(empty), 'picture')} all black or all white: {names}. Remove what is empty."


# the report -------------------------------------------------------------------------------------


def _counts(classes: Sequence[str], examples: Iterable[Example]) -> dict[str, int]:
    counts = Counter(example.label for example in examples)
    return {name: counts[label] for label, name in enumerate(classes)}


def _class_counts(dataset: Dataset, split: Split) -> tuple[ClassCount, ...]:
    useless = {name for name, _ in split.rejected}
    found = _counts(dataset.classes, (e for e in dataset.examples if e.name not in useless))
    parts: Mapping[str, Sequence[Example]] = {
        "train": split.train,
        "val": split.val,
        "test": split.test,
    }
    counts = {part: _counts(dataset.classes, examples) for part, examples in parts.items()}
    shown: dict[str, list[Example]] = {name: [] for name in dataset.classes}
    for example in chain(*parts.values()):
        shown[dataset.classes[example.label]].append(example)
    return tuple(
        ClassCount(
            name,
            found[name],
            counts["train"][name],
            counts["val"][name],
            counts["test"][name],
            _previews(shown[name][:PREVIEWS], split.window),
            tuple(key(example) for example in shown[name][:PREVIEWS]),
        )
        for name in dataset.classes
    )


def _previews(examples: Sequence[Example], window: Window) -> tuple[bytes, ...]:
    return tuple(thumbnail(decode(example.read(), window)) for example in examples)


def _comparisons(split: Split) -> tuple[tuple[bytes, bytes], ...]:
    """Training pictures as they are stored, and with the window."""
    if split.window == Window():
        return ()
    contents = [example.read() for example in split.windowed[:_COMPARED]]
    return tuple(
        (thumbnail(_as_stored(content)), thumbnail(decode(content, split.window)))
        for content in contents
    )


def _as_stored(content: bytes | Image.Image) -> Image.Image:
    """The picture by the whole range of its file, on white: as most programs show it."""
    brightest = 1 if open_header(content).mode == "F" else 2**16 - 1
    return decode(content, Window((0, brightest)))
