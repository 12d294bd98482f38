"""The report: what a dataset gives before anything is trained."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
import pandas as pd
from gradio.components import Component
from PIL import Image

from ...contracts.cards import ClassCount, DataReport
from .. import text
from ..gallery import gallery
from ..wiring import Updates
from . import split_table

THUMBNAILS = 40
NOTHING = "Choose a dataset to see its classes, its pictures and how they would be split."
REJECTED = ["File", "Reason"]


@dataclass(frozen=True)
class ReportView:
    alert: gr.Markdown
    """What stands in the way of training, or should be looked at before; hidden otherwise."""
    summary: gr.Markdown
    gallery: gr.Gallery
    counts: gr.HTML
    go: gr.Button
    """Leads to Train."""
    rejects: gr.Accordion
    """Hidden where nothing was left out."""
    rejected: gr.Dataframe

    @property
    def parts(self) -> list[Component | gr.Accordion]:
        shown = [self.alert, self.summary, self.gallery, self.counts, self.go]
        return [*shown, self.rejects, self.rejected]

    def show(self, report: DataReport, shots: int) -> Updates:
        """Updates that show a report on a dataset of which `shots` images a class are wanted."""
        words = alert(report)
        rejected = pd.DataFrame(report.rejected, columns=REJECTED)
        title = f"Left out: {len(report.rejected)}"
        return {
            self.alert: gr.Markdown(words, visible=bool(words)),
            self.summary: summary(report),
            self.gallery: previews(report.counts),
            self.counts: split_table.draw(report.counts, shots),
            self.go: gr.Button(visible=not report.problem),
            self.rejects: gr.Accordion(title, visible=bool(report.rejected)),
            self.rejected: rejected,
        }

    def clear(self) -> Updates:
        """Updates that empty the view."""
        return {
            self.alert: gr.Markdown(visible=False),
            self.summary: NOTHING,
            self.gallery: [],
            self.counts: "",
            self.go: gr.Button(visible=False),
            self.rejects: gr.Accordion(visible=False),
        }


def build() -> ReportView:
    """Draws an empty report into the open context."""
    problems = gr.Markdown("", visible=False, elem_id="alert", elem_classes="amber")
    words = gr.Markdown(NOTHING, elem_id="report")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            pictures = gallery("Previews", "previews", columns=6, height=330)
        with gr.Column(scale=2, min_width=300):
            counts = gr.HTML("", padding=False, elem_id="counts")
            go = gr.Button("Train on this →", variant="primary", visible=False, elem_id="go")
    with gr.Accordion("Left out", open=False, visible=False) as rejects:
        rejected = gr.Dataframe(headers=REJECTED, interactive=False, max_height=260, wrap=True)
    return ReportView(problems, words, pictures, counts, go, rejects, rejected)


def alert(report: DataReport) -> str:
    """Markdown: why it cannot be trained on yet, and what to look at first; empty if nothing."""
    lines = [("Cannot be trained on yet:", report.problem), ("Look first:", report.doubt)]
    return "\n\n".join(f"**{label}** {text.plain(words)}" for label, words in lines if words)


def summary(report: DataReport) -> str:
    """Markdown: what the dataset gives, how it was read, and notices."""
    found = sum(count.found for count in report.counts)
    train = sum(count.train for count in report.counts)
    val = sum(count.val for count in report.counts)
    test = sum(count.test for count in report.counts)
    tested = f"{text.count(test)} to test"
    if not test:
        tested = "none to test (accuracy will not be measured)"
    head = (
        f"**{text.plain(report.title)}**: {text.plural(len(report.counts), 'class')}, "
        f"{text.plural(found, 'image')}; {text.count(train)} to train, "
        f"{text.count(val)} to validate, {tested}."
    )
    reading = [f"**Read as:** {text.plain(report.reading)}"] if report.reading else []
    return "\n\n".join([head, *reading, text.bullets(report.notices)])


def previews(counts: Sequence[ClassCount]) -> list[tuple[Image.Image, str]]:
    """(thumbnail, class), the same number of every class, at most `THUMBNAILS` in all."""
    return [(Image.open(io.BytesIO(picture)), name) for _, name, picture in previewed(counts)]


def previewed(counts: Sequence[ClassCount]) -> list[tuple[str, str, bytes]]:
    """(key, class, picture) of the previews that are shown, in their order."""
    room = THUMBNAILS // max(1, len(counts))
    per_class = max(1, min(4, room))
    shown = []
    for count in counts:
        keys = count.keys or [""] * len(count.previews)
        pairs = list(zip(keys, count.previews, strict=True))[:per_class]
        shown += [(key, count.name, picture) for key, picture in pairs]
    return shown[:THUMBNAILS]
