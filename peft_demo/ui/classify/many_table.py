"""Many answers as HTML: how often each class was given, and a row for each picture."""

from collections import Counter
from collections.abc import Sequence
from html import escape

from ...contracts.answer import Answer
from .. import text
from ..data_url import data_url
from .answers import DOUBTFUL, sentence

ROWS = 200
"""Pictures that are drawn; the table for download holds all."""
IN_ORDER = "In order"
UNSURE_FIRST = "Least sure first"
BY_CLASS = "By class"
NONE = "none of these"
ORDERS = (IN_ORDER, UNSURE_FIRST, BY_CLASS)


def draw(answers: Sequence[Answer], total: int, order: str) -> str:
    """HTML: the answers so far, of `total` pictures."""
    chosen = arranged(answers, order)[:ROWS]
    rows = "".join(_row(number, answer) for number, answer in chosen)
    return f'<div class="many">{_summary(answers, total)}<ul>{rows}</ul>{_rest(answers)}</div>'


def arranged(answers: Sequence[Answer], order: str) -> list[tuple[int, Answer]]:
    """(number, answer), those without an answer last unless they stand in the order given."""
    numbered = list(enumerate(answers))
    if order == UNSURE_FIRST:
        return sorted(numbered, key=lambda item: _sureness(item[1]))
    if order == BY_CLASS:
        return sorted(numbered, key=lambda item: (bool(_refusal(item[1])), _label(item[1])))
    return numbered


def _sureness(answer: Answer) -> float:
    if _refusal(answer):
        return 2.0
    return -(answer.prediction.doubt or 0) if answer.prediction.is_none else _probability(answer)


def _probability(answer: Answer) -> float:
    return answer.prediction.probability


def _label(answer: Answer) -> str:
    return "" if _refusal(answer) else answer.prediction.label


def _refusal(answer: Answer) -> str:
    return answer.prediction.refusal


def _summary(answers: Sequence[Answer], total: int) -> str:
    """A bar while it goes on, then "60 pictures: 58 dots, 2 none of these; 4 not sure"."""
    if len(answers) < total:
        words = f"{len(answers)} of {text.plural(total, 'picture')}"
        filled = f'<div style="width:{100 * len(answers) / total:.0f}%"></div>'
        return f'<p role="status">{words}</p><div class="bar">{filled}</div>'
    return f'<p role="status"><b>{text.plural(total, "picture")}</b>{_counts(answers)}</p>'


def _counts(answers: Sequence[Answer]) -> str:
    answered = [answer for answer in answers if not _refusal(answer)]
    labels = Counter(_called(answer) for answer in answered)
    unsure = sum(_is_unsure(answer) and not answer.prediction.is_none for answer in answered)
    parts = [f"{count} {escape(label)}" for label, count in labels.most_common()]
    said = f": {', '.join(parts)}" if parts else ""
    if unsure:
        said += f"; {unsure} not sure"
    if refused := len(answers) - len(answered):
        said += f"; {refused} without an answer"
    return said


def _called(answer: Answer) -> str:
    return NONE if answer.prediction.is_none else _label(answer)


def _is_unsure(answer: Answer) -> bool:
    prediction = answer.prediction
    return prediction.is_none or prediction.probability < DOUBTFUL


def _rest(answers: Sequence[Answer]) -> str:
    left = len(answers) - ROWS
    return f"<p>and {text.count(left)} more in the table</p>" if left > 0 else ""


def _row(number: int, answer: Answer) -> str:
    name = f"<span>{escape(answer.picture)}</span>"
    if refusal := _refusal(answer):
        return f'<li class="refused"><i></i>{name}<em>{escape(text.sentence(refusal))}</em></li>'
    image = f'<img src="{data_url(answer.thumbnail)}" alt="">'
    prediction = answer.prediction
    share = f"<b>{100 * prediction.probability:.0f} %</b>"
    look = ' class="unsure"' if _is_unsure(answer) else ""
    said = f"{name}<strong>{sentence(prediction)}</strong>{share}"
    return f'<li{look}><button type="button" data-n="{number}">{image}{said}</button></li>'
