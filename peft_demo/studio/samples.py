"""Pictures to try an adapter on: of the bundled set it was trained on, from its test split, so it has seen none."""

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter

from ..data import Dataset, Example, decode, lossless, split

MOST = 20
Sample = tuple[str, bytes]
"""Class and PNG: losing nothing, as a JPEG of a picture can be another class to an adapter."""


def samples(dataset: Dataset, shots: int, seed: int) -> tuple[Sample, ...]:
    """At most `MOST` test pictures, one of each class and then the next."""
    chosen = _by_turns(split(dataset, shots, seed).test)[:MOST]
    return tuple((dataset.classes[e.label], lossless(decode(e.read()))) for e in chosen)


def _by_turns(examples: Sequence[Example]) -> list[Example]:
    seen: Counter = Counter()
    turns = [(seen.update([e.label]) or seen[e.label], e.label, e) for e in examples]
    return [example for *_, example in sorted(turns, key=itemgetter(0, 1))]
