"""A few answers on held-out images, to be looked at: mistakes first, of many classes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter

from torch import Tensor

from ..contracts.held_out import HeldOut, HeldOutAnswer
from ..data.few_shot_tensors import FewShotTensors

MOST = 12
MISTAKES = 8
"""Of them, where there are right answers to show as well."""


def held_out(material: FewShotTensors, part: str, logits: Tensor) -> HeldOut:
    """The event about logits [N C] for the images of a part, "val" or "test"."""
    _, labels = material.test if part == "test" else material.val
    right = logits.argmax(dim=-1) == labels.to(logits.device)
    digits = "".join(str(int(one)) for one in right.tolist())
    return HeldOut(part, material.fingerprint, held_out_answers(logits, labels), digits)


def held_out_answers(logits: Tensor, labels: Tensor) -> tuple[HeldOutAnswer, ...]:
    """At most `MOST` answers of logits [N C] for images with labels [N], wrong ones first.

    Of wrong and right ones alike the surest of each class, then the second of each, and so on.
    """
    probabilities, answers = logits.softmax(dim=-1).max(dim=-1)
    every = [
        HeldOutAnswer(image, *facts)
        for image, facts in enumerate(
            zip(labels.tolist(), answers.tolist(), probabilities.tolist(), strict=True)
        )
    ]
    wrong = _by_turns(answer for answer in every if answer.answer != answer.label)
    right = _by_turns(answer for answer in every if answer.answer == answer.label)
    right = right[: MOST - min(len(wrong), MISTAKES)]
    return (*wrong[: MOST - len(right)], *right)


def _by_turns(answers: Iterable[HeldOutAnswer]) -> Sequence[HeldOutAnswer]:
    """The surest of each class in the order of classes, then the second of each, and so on."""
    count: Counter[int] = Counter()
    turns = []
    for answer in sorted(answers, key=lambda answer: -answer.probability):
        count[answer.label] += 1
        turns.append((count[answer.label], answer.label, answer))
    return [answer for *_, answer in sorted(turns, key=itemgetter(0, 1))]
