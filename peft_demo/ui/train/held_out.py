"""Where a run errs: pictures that were held out, and what it says of them."""

from collections.abc import Sequence

from ...contracts.cards import Sample
from .. import thumbnails

MISTAKES = "Its mistakes first, on pictures that it has not learned from"
NO_MISTAKES = "Pictures that it has not learned from"


def draw(samples: Sequence[Sample]) -> str:
    """HTML: the pictures in a row, wrong answers first; "" if there are none."""
    if not samples:
        return ""
    wrong = any(sample.answer != sample.label for sample in samples)
    shown = [
        thumbnails.answered(sample.picture, sample.label, sample.answer, sample.probability)
        for sample in samples
    ]
    return thumbnails.draw(shown, MISTAKES if wrong else NO_MISTAKES, pressed=False)
