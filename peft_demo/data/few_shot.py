"""Which images are chosen. Per class, in this order:

    test         the given test/, else a fifth held out (at least one); none below three images
    train        K shots of what is left
    validation   at most K of a given val/, else of what is left then

An image's place in the queue is a hash of its name and the seed. So the choice does not depend on
the order in which files are listed, the test images are the same for every K, and the 4-shot images
are among the 8-shot ones.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain

from ..contracts.errors import BadData
from ..contracts.progress import Report
from .chosen import Chosen, LeftOut, Split
from .dataset import Dataset, Example
from .looks import Looks, Peers
from .notices import make_split
from .pixels import SET_PIXELS

MAX_TEST = 5_000
"""Test images of all classes together: enough to know an accuracy to within 1.4 points, and they
fit into memory."""
_MAX_USELESS = 1_000
"""Damaged pictures before nothing more is tried."""


def split(
    dataset: Dataset,
    shots: int,
    seed: int,
    report: Report | None = None,
    most_test: int = 0,
) -> Split:
    """Chooses `shots` training images per class, validation and test images by the rules above; of
    test images `most_test` at most (0: `MAX_TEST`), equally many of each class, and one at least.

    Never raises for a poor dataset: `problem` says what is wrong. Chosen images are decoded once,
    to be sure; a damaged one, or one that shows up twice, is left out and the choice made as if it
    had never been there; one that lies in two classes is left out in both. Raises `BadData` when
    there is no end of damaged ones, or when the chosen ones have too many pixels together.
    """
    queue = _queue(dataset.examples, seed)
    looks = Looks(dataset.window, dataset.most_pixels)
    peers = Peers(queue, looks)
    left_out = LeftOut()
    while True:
        pool = [example for example in queue if example not in left_out]
        chosen = _choose(dataset.classes, pool, shots, most_test or MAX_TEST)
        before = len(left_out)
        fresh = [example for example in chosen if example not in looks.seen]
        left_out.damaged |= looks.take(fresh, report)
        if not dataset.official:
            _find_equal(chosen, looks, peers, left_out)
        _check_end(left_out)
        if len(left_out) > before:
            continue
        looks.choose_window(chosen.train)
        if all(example in looks.seen for example in chosen):
            break
    return make_split(dataset, shots, chosen, looks, left_out)


def _check_end(left_out: LeftOut) -> None:
    if len(left_out.damaged) > _MAX_USELESS:
        reason, _ = Counter(left_out.damaged.values()).most_common(1)[0]
        raise BadData(
            f"more than {_MAX_USELESS} of these pictures cannot be read. Most often: {reason}",
            "Check the files.",
        )


def readable(
    examples: Iterable[Example], most_pixels: int = SET_PIXELS
) -> tuple[tuple[Example, ...], tuple[tuple[str, str], ...]]:
    """The examples whose pictures can be decoded, and (file, reason) of the others.

    Raises `BadData` where they have more than `most_pixels` together.
    """
    examples = list(examples)
    looks = Looks(most_pixels=most_pixels)
    bad = looks.take(examples)
    good = tuple(example for example in examples if example in looks.seen)
    return good, tuple((example.name, reason) for example, reason in bad.items())


# the choice -------------------------------------------------------------------------------------


def _queue(examples: Sequence[Example], seed: int) -> list[Example]:
    return sorted(examples, key=lambda e: (sha256(f"{seed} {e.name}".encode()).digest(), e.name))


def _choose(classes: Sequence[str], queue: Iterable[Example], shots: int, most_test: int) -> Chosen:
    by_class: list[list[Example]] = [[] for _ in classes]
    for example in queue:
        by_class[example.label].append(example)
    most = max(1, most_test // max(1, len(classes)))
    chosen = Chosen([], [], [])
    for examples in by_class:
        divided = _divide(examples, shots)
        chosen.train.extend(divided.train)
        chosen.val.extend(divided.val)
        chosen.test.extend(divided.test[:most])
        chosen.cut += max(0, len(divided.test) - most)
    return chosen


def _divide(examples: Sequence[Example], shots: int) -> Chosen:
    """The parts of one class, from its images in queue order."""
    val = [example for example in examples if example.part == "val"]
    test = [example for example in examples if example.part == "test"]
    rest = [example for example in examples if example.part in ("", "train")]
    if not test and len(rest) >= 3:
        held = max(1, len(rest) // 5)
        test = rest[:held]
        rest = rest[held:]
    train = rest[: _train_count(rest, shots, val)]
    rest = rest[len(train) :]
    return Chosen(train, (val or rest)[:shots], test)


def _train_count(rest: Sequence[Example], shots: int, val: Sequence[Example]) -> int:
    """All shots asked for where there are so many; where not, one image is left to validate on."""
    if len(rest) < shots and not val:
        return max(1, len(rest) - 1)
    return shots


# equal pictures ---------------------------------------------------------------------------------


def _find_equal(chosen: Chosen, looks: Looks, peers: Peers, left_out: LeftOut) -> None:
    """Leaves out copies of chosen images, and both sides where one picture lies in two classes.

    A given test set stays whole: it comes first.
    """
    first: dict[str, Example] = {}
    for example in chain(chosen.test, chosen.train, chosen.val):
        if example not in looks.seen or example in left_out:
            continue
        others = peers.of_another_class(example)
        known = first.setdefault(looks.digest(example), example)
        if known.label != example.label:
            others.append(known)
        if others:
            _disagree([example, *others], left_out)
        elif known != example:
            left_out.copies[example] = f"the same picture as {known.name}."


def _disagree(examples: Sequence[Example], left_out: LeftOut) -> None:
    for example in examples:
        other = next(e for e in examples if e.label != example.label)
        left_out.disagreements[example] = (
            f"the same picture as {other.name}, which is in another class."
        )
