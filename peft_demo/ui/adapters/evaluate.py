"""Evaluate: how often an adapter is right on pictures, where it errs, and those pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ...contracts.accuracy import in_words
from ...contracts.errors import BadValue
from ...contracts.score import ClassScore, Reliability, Score, ScoredPicture
from ...contracts.service import Answers
from .. import charts, stat_tiles, text, thumbnails
from ..charts import Axes, Curve
from ..data.form import DataForm
from ..thumbnails import Thumbnail
from ..toasts import reporter, speaking
from ..wiring import QUEUED, UNQUEUED, Part, Updates, Values
from . import confusion

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
OWN = "own"
OPEN = "open"
CHOICES = [("Its own test images", OWN), ("The images chosen in Data", OPEN)]
RELIABILITY = ("Mean probability", "Answers", "Right")
WAIT = "### Asking it …"
HEAD = ("Class", "Images", "Precision", "Recall", "F1")


@dataclass(frozen=True)
class Evaluate:
    on: gr.Radio
    button: gr.Button
    score: gr.State
    """The `Score` that is shown, None before."""
    results: gr.Column
    sentence: gr.Markdown
    matrix: gr.HTML
    pictures: gr.HTML
    figures: gr.HTML
    reliability: gr.HTML
    """How true its probabilities are, drawn and as a table."""

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` may change."""
        parts: list[Part] = [self.score, self.results, self.sentence]
        return [*parts, self.matrix, self.pictures, self.figures, self.reliability]

    def show(self, score: Score) -> Updates:
        """Updates that show a score, and of its pictures the mistakes."""
        return {
            self.score: score,
            self.results: gr.Column(visible=True),
            self.sentence: sentence(score),
            self.matrix: confusion.draw(score),
            self.pictures: mistakes(score),
            self.figures: stat_tiles.table(HEAD, map(_row, score.classes)),
            self.reliability: reliability(score),
        }

    def wait(self) -> Updates:
        """Updates that say that it is being asked."""
        drawn: dict[Part, str] = dict.fromkeys(
            (self.matrix, self.pictures, self.figures, self.reliability), ""
        )
        return {self.results: gr.Column(visible=True), self.sentence: WAIT, **drawn}

    def hide(self) -> Updates:
        """Updates that show no score."""
        return {self.score: None, self.results: gr.Column(visible=False)}


def build() -> Evaluate:
    """Draws this part into the open context."""
    with gr.Accordion("Evaluate: where it errs", open=False, elem_id="evaluate"):
        with gr.Row(equal_height=True):
            on = gr.Radio(CHOICES, value=OWN, show_label=False, label="On", container=False)
            button = gr.Button(
                "Evaluate", variant="primary", size="md", scale=0, elem_id="evaluate-it"
            )
        with gr.Column(visible=False) as results:
            words = gr.Markdown("", elem_id="score")
            with gr.Row():
                with gr.Column(min_width=300):
                    matrix = confusion.build()
                with gr.Column(min_width=300):
                    pictures = thumbnails.build("mistakes")
            figures = gr.HTML("", padding=False, elem_id="figures")
            truth = gr.HTML("", padding=False, elem_id="reliability")
    return Evaluate(on, button, gr.State(None), results, words, matrix, pictures, figures, truth)


def connect(part: Evaluate, chosen: gr.State, form: DataForm, answers: Answers) -> None:
    """Connects the events; another adapter takes the score away."""
    pressed = part.button.click(speaking(part.wait), None, part.outputs, **UNQUEUED)
    evaluated = pressed.then(
        evaluator(part, chosen, form, answers),
        {chosen, part.on, *form.inputs},
        part.outputs,
        api_visibility="private",
        show_progress_on=[part.sentence],
        concurrency_id="evaluate",
        concurrency_limit=1,
    )
    evaluated.failure(speaking(part.hide), None, part.outputs, **UNQUEUED)
    part.matrix.select(_show_cell, part.score, part.pictures, **QUEUED)
    chosen.change(speaking(part.hide), None, part.outputs, **UNQUEUED)


def evaluator(part: Evaluate, chosen: gr.State, form: DataForm, answers: Answers):
    """The handler that evaluates the chosen adapter."""

    @speaking
    def evaluate(values: Values, progress: gr.Progress = PROGRESS) -> Updates:
        id = values[chosen]
        if not id:
            raise BadValue("no adapter is chosen.", "Choose a row of the table.")
        data = form.spec(values) if values[part.on] == OPEN else None
        return part.show(answers.evaluate(id, data, reporter(progress), pictures=True))

    return evaluate


@speaking
def _show_cell(score: Score | None, event: gr.SelectData) -> str:
    place = confusion.cell(score, event.value) if score else None
    if score is None or place is None:
        raise BadValue("there is no such cell.", "Press Evaluate again.")
    return of_cell(score, *place)


def sentence(score: Score) -> str:
    """Markdown: how many were right, and what is mistaken most often."""
    words = [f"### {in_words(score.accuracy, score.images)}"]
    words.append(f"Macro F1 {_share(score.macro_f1)}.")
    if found := score.mistakes():
        count, label, answer = found[0]
        often = f"{text.plural(count, 'time')}"
        words.append(
            f"Most often **{text.plain(label)}** is taken for **{text.plain(answer)}**: {often}."
        )
    if score.called_none is not None:
        words.append(f"{score.called_none} of {score.images} are called none of its classes.")
    if score.left_out:
        words.append(f"{text.plural(score.left_out, 'image')} left out, as it learned from them.")
    return "\n\n".join([words[0], " ".join(words[1:])])


def mistakes(score: Score) -> str:
    """HTML: the pictures that were mistaken, the surest mistakes first."""
    total = score.images - score.right
    wrong = [picture for picture in score.pictures if picture.wrong]
    heading = f"{text.plural(total, 'mistake')}, the surest first" if total else "No mistakes"
    return _gallery(score, wrong, heading, total)


def of_cell(score: Score, row: int, column: int) -> str:
    """HTML: the pictures of one cell of the matrix."""
    shown = [
        picture for picture in score.pictures if (picture.label, picture.answer) == (row, column)
    ]
    total = score.confusion[row][column]
    names = score.classes[row].name, score.classes[column].name
    words = f"{names[0]}, recognised" if row == column else f"{names[0]}, taken for {names[1]}"
    return _gallery(score, shown, f"{words}: {text.plural(total, 'picture')}", total)


def reliability(score: Score) -> str:
    """HTML: how many answers of each probability were right, as a curve and as a table."""
    if not score.reliability:
        return ""
    points = [(100 * one.probability, 100 * one.accuracy) for one in score.reliability]
    true = Curve("as sure as right", [(0, 0), (100, 100)], colour=3)
    curves = [Curve("its answers", points, marked=True), true]
    axes = Axes("probability of the answer, %", x_end=100, low=0, high=100)
    drawing = charts.draw("Right, % of answers", curves, axes)
    rows = [_reliability_row(one) for one in score.reliability]
    error = f"{100 * (score.calibration_error or 0):.1f} % apart on average"
    caption = f"Probability and share of right answers: {error}; Brier {_share(score.brier)}."
    return f"<div>{drawing}</div>{stat_tiles.table(RELIABILITY, rows, caption=caption)}"


def _reliability_row(one: Reliability) -> tuple[object, ...]:
    return f"{100 * one.probability:.0f} %", one.images, in_words(one.accuracy, one.images)


def _gallery(score: Score, pictures: Sequence[ScoredPicture], heading: str, total: int) -> str:
    if len(pictures) < total:
        heading += f", {len(pictures)} shown"
    items = [_thumbnail(score, picture) for picture in pictures]
    return thumbnails.draw(items, heading, wrap=True, pressed=False)


def _thumbnail(score: Score, picture: ScoredPicture) -> Thumbnail:
    label = score.classes[picture.label].name
    answer = score.classes[picture.answer].name
    return thumbnails.answered(picture.picture, label, answer, picture.probability)


def _row(entry: ClassScore) -> tuple[object, ...]:
    shares = map(_share, (entry.precision, entry.recall, entry.f1))
    return (entry.name, entry.images, *shares)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
