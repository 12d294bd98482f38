"""Pictures to try an adapter on: from the test split of its bundled set, so it has seen none."""

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter

from ..contracts.cards import Sample
from ..data import Dataset, Example, decode, lossless, split

MOST = 20


def samples(dataset: Dataset, shots: int, seed: int) -> tuple[Sample, ...]:
    """At most `MOST` test pictures, one of each class and then the next.

    As PNG, which loses nothing: a JPEG of a picture can be another class to an adapter.
    """
    given = split(dataset, shots, seed)
    return tuple(
        Sample(dataset.classes[example.label], lossless(decode(example.read(), given.window)))
        for example in _by_turns(given.test)[:MOST]
    )


def _by_turns(examples: Sequence[Example]) -> list[Example]:
    """The first of each class in the order of classes, then the second of each, and so on."""
    count: Counter[int] = Counter()
    turns = []
    for example in examples:
        count[example.label] += 1
        turns.append((count[example.label], example.label, example))
    return [example for *_, example in sorted(turns, key=itemgetter(0, 1))]
