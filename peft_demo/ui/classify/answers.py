"""Answers side by side: what up to four models say of one image, and how long each took."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import fmean

import gradio as gr

from ...contracts.cards import Prediction, SideBySide
from .. import text
from ..wiring import Part, Updates

MOST = 4
"""Adapters that answer side by side."""
TOP = 5
"""Classes shown of each answer."""
EVERY = 1_000_000
"""Classes asked for where answers are averaged: all that there are."""
MERGED = (
    "Beside the backbone, as adapters are kept, and merged into a copy of its weights, as a plain "
    "model would be deployed: the answers agree, and merged costs nothing more than the backbone."
)
SURE = 0.9
"""Probability from which an answer is called sure."""
DOUBTFUL = 0.6
"""Probability below which the second class is named too."""
WHOLE = 0.999
"""What the probabilities of an answer add up to, if none of its classes is missing."""
LEAST = 0.01
"""Probability below which a class has no bar of its own."""


@dataclass(frozen=True)
class Agreement:
    """What several answers to one image have in common."""

    classes: tuple[str, ...] = ()
    """In the one order in which all answers list them: the likeliest over all answers first."""
    answer: str = ""
    """That most of them give; empty where there is one answer alone, or no two agree."""

    @staticmethod
    def of(predictions: Sequence[Prediction]) -> "Agreement":
        shares: Counter[str] = Counter()
        for prediction in predictions:
            shares.update(dict(prediction.top))
        classes = tuple(name for name, _ in shares.most_common())
        answers = Counter(p.label for p in predictions if not p.is_none)
        [(answer, count)] = answers.most_common(1) or [("", 0)]
        return Agreement(classes, answer if count > 1 else "")

    def look(self, prediction: Prediction) -> str:
        """agrees, differs, or nothing where there is nothing to agree with."""
        if not self.answer or prediction.is_none:
            return ""
        return "agrees" if prediction.label == self.answer else "differs"


ALONE = Agreement()


@dataclass(frozen=True)
class Place:
    """Where one answer is shown."""

    column: gr.Column
    answer: gr.HTML

    def show(
        self, prediction: Prediction, title: str, timing: str, agreement: Agreement
    ) -> Updates:
        """Updates that show an answer here, and what it has in common with others."""
        return {
            self.column: gr.Column(visible=True),
            self.answer: draw(prediction, title, timing, agreement),
        }

    def hide(self) -> Updates:
        """Updates that hide the place."""
        return {self.column: gr.Column(visible=False)}


@dataclass(frozen=True)
class Answers:
    """The places for up to `MOST` answers."""

    places: tuple[Place, ...]
    above: gr.HTML
    """What they say together, where they know the same classes; or what is compared."""

    @property
    def parts(self) -> list[Part]:
        parts: list[Part] = [self.above]
        for place in self.places:
            parts += [place.column, place.answer]
        return parts

    def show(self, predictions: Sequence[Prediction]) -> Updates:
        """Updates that show these, one adapter each, and nothing else."""
        agreement = Agreement.of(predictions)
        updates = self.hide()
        if mean := averaged(predictions):
            share = f"{100 * mean.probability:.0f}\u202f%"
            words = f"All {len(predictions)} averaged: {sentence(mean)} {share}"
            updates[self.above] = gr.HTML(f"<p>{words}</p>", visible=True)
        for place, prediction in zip(self.places, predictions, strict=False):
            title = prediction.adapter
            updates |= place.show(prediction, title, timing(prediction), agreement)
        return updates

    def show_first(self, prediction: Prediction) -> Updates:
        """Updates that show this one where nothing was shown before."""
        return self.places[0].show(prediction, prediction.adapter, timing(prediction), ALONE)

    def show_merged(self, both: SideBySide) -> Updates:
        """Updates that show one adapter's answer twice: attached, and merged into the weights."""
        attached = both.attached
        merged = both.merged
        attached_timing = _ratio(attached, both.attached_ratio)
        merged_timing = _ratio(merged, both.merged_ratio)
        first, second = self.places[:2]
        return {
            **self.hide(),
            self.above: gr.HTML(f"<p>{MERGED}</p>", visible=True),
            **first.show(attached, f"{attached.adapter}, attached", attached_timing, ALONE),
            **second.show(merged, f"{merged.adapter}, merged", merged_timing, ALONE),
        }

    def hide(self) -> Updates:
        """Updates that show no answer."""
        updates: Updates = {self.above: gr.HTML(visible=False)}
        for place in self.places:
            updates |= place.hide()
        return updates


def build() -> Answers:
    """Draws the places, empty, into the open context."""
    above = gr.HTML("", visible=False, padding=False, elem_id="above-answers")
    with gr.Row(elem_id="answers"):
        places = tuple(_place(n) for n in range(MOST))
    return Answers(places, above)


def _place(n: int) -> Place:
    with gr.Column(min_width=260, visible=False, elem_id=f"answer-{n}") as column:
        return Place(column, gr.HTML("", padding=False))


def draw(prediction: Prediction, title: str, timing: str, agreement: Agreement = ALONE) -> str:
    """HTML: a sentence, how long it took, and a bar behind the name of each likely class."""
    shown = [(name, share) for name, share in prediction.top[:TOP] if share >= LEAST]
    rest = 1 - sum(share for _, share in shown)
    if agreement.classes:
        shown.sort(key=lambda bar: agreement.classes.index(bar[0]))
    bars = "".join(_bar(name, share) for name, share in shown)
    said = f'<p class="sentence {agreement.look(prediction)}">{sentence(prediction)}</p>'
    look = "answer none" if prediction.is_none else "answer"
    return (
        f'<div class="{look}"><h2>{escape(title)}</h2>{said}'
        f"<p>{escape(timing)}</p><ul>{bars}</ul>{_others(rest)}</div>"
    )


def averaged(predictions: Sequence[Prediction]) -> Prediction | None:
    """The mean of several whole answers over the same classes; None where there is none."""
    answers = [dict(prediction.top) for prediction in predictions]
    if len(answers) < 2 or any(answer.keys() != answers[0].keys() for answer in answers):
        return None
    if any(sum(answer.values()) < WHOLE for answer in answers):
        return None
    shares = {name: fmean(answer[name] for answer in answers) for name in answers[0]}
    best_first = sorted(shares.items(), key=lambda pair: -pair[1])
    doubts = [prediction.doubt for prediction in predictions if prediction.doubt is not None]
    doubt = fmean(doubts) if len(doubts) == len(predictions) else None
    return Prediction("", tuple(best_first), sum(p.ms for p in predictions), doubt=doubt)


def sentence(prediction: Prediction) -> str:
    """HTML: "bricks, sure", "probably bricks", "not sure: bricks or tiles?", or "none of these,
    most like bricks".
    """
    name = f"<b>{escape(prediction.label)}</b>"
    if prediction.is_none:
        return f"none of these, most like {name}"
    if prediction.probability >= SURE:
        return f"{name}, <em>sure</em>"
    if prediction.probability >= DOUBTFUL or len(prediction.top) < 2:
        return f"probably {name}"
    return f"not sure: {name} or <b>{escape(prediction.top[1][0])}</b>?"


def _bar(name: str, share: float) -> str:
    width = f"{100 * share:.1f}%"
    return (
        f'<li><i style="width:{width}"></i><span>{escape(name)}</span><b>{100 * share:.0f} %</b>'
        "</li>"
    )


def _others(rest: float) -> str:
    """What all other classes have together."""
    return f"<p>all others together {100 * rest:.0f} %</p>" if rest >= LEAST / 2 else ""


def timing(prediction: Prediction) -> str:
    """answered in 3.1 ms · swapped in 0.02 ms"""
    answered = text.milliseconds(prediction.ms)
    swapped = text.milliseconds(prediction.swap_ms)
    return f"answered in {answered} · swapped in {swapped}"


def _ratio(prediction: Prediction, ratio: float) -> str:
    """5.3 ms, 1.02 times the frozen model"""
    return f"{text.milliseconds(prediction.ms)}, {ratio:.2f} times the frozen model"
