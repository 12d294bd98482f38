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

THUMBNAILS = 40
NOTHING = "Choose a dataset to see its classes, its pictures and how they would be split."
COLUMNS = ["Class", "Found", "Train", "Val", "Test"]
REJECTED = ["File", "Reason"]


@dataclass(frozen=True)
class ReportView:
    summary: gr.Markdown
    gallery: gr.Gallery
    counts: gr.Dataframe
    rejects: gr.Accordion
    """Hidden where nothing was left out."""
    rejected: gr.Dataframe

    @property
    def parts(self) -> list[Component | gr.Accordion]:
        return [self.summary, self.gallery, self.counts, self.rejects, self.rejected]

    def show(self, report: DataReport) -> Updates:
        """Updates that show a report."""
        rejected = pd.DataFrame(report.rejected, columns=REJECTED)
        title = f"Left out: {len(report.rejected)}"
        return {
            self.summary: summary(report),
            self.gallery: previews(report.counts),
            self.counts: count_table(report.counts),
            self.rejects: gr.Accordion(title, visible=bool(report.rejected)),
            self.rejected: rejected,
        }

    def clear(self) -> Updates:
        """Updates that empty the view."""
        return {
            self.summary: NOTHING,
            self.gallery: [],
            self.counts: pd.DataFrame(columns=COLUMNS),
            self.rejects: gr.Accordion(visible=False),
        }


def build() -> ReportView:
    """Draws an empty report into the open context."""
    words = gr.Markdown(NOTHING, elem_id="report")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            pictures = gallery("Previews", "previews", columns=6, height=330)
        with gr.Column(scale=2, min_width=300):
            counts = gr.Dataframe(
                headers=COLUMNS,
                label="Split",
                interactive=False,
                max_height=330,
                column_widths=["28%", "18%", "18%", "18%", "18%"],
                elem_id="counts",
            )
    with gr.Accordion("Left out", open=False, visible=False) as rejects:
        rejected = gr.Dataframe(headers=REJECTED, interactive=False, max_height=260, wrap=True)
    return ReportView(words, pictures, counts, rejects, rejected)


def summary(report: DataReport) -> str:
    """Markdown: what the dataset gives, what is wrong with it, and notices."""
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
    lines = [
        ("Read as:", report.reading),
        ("Cannot be trained on yet:", report.problem),
        ("Look first:", report.doubt),
    ]
    said = [f"**{label}** {text.plain(words)}" for label, words in lines if words]
    return "\n\n".join([head, *said, text.bullets(report.notices)])


def count_table(counts: Sequence[ClassCount]) -> pd.DataFrame:
    """One row per class."""
    rows = [(count.name, count.found, count.train, count.val, count.test) for count in counts]
    return pd.DataFrame(rows, columns=COLUMNS)


def previews(counts: Sequence[ClassCount]) -> list[tuple[Image.Image, str]]:
    """(thumbnail, class), the same number of every class, at most `THUMBNAILS` in all."""
    room = THUMBNAILS // max(1, len(counts))
    per_class = max(1, min(4, room))
    thumbnails = []
    for count in counts:
        for picture in count.previews[:per_class]:
            thumbnails.append((Image.open(io.BytesIO(picture)), count.name))
    return thumbnails[:THUMBNAILS]
