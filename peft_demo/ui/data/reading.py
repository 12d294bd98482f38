"""Another way to read the dataset: shown beside the report where there is something to choose.

The reader names its alternatives, and a person picks one or fills in the fields. What they say
holds for the dataset that it was said about and for no other.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from PIL import Image

from ...contracts.cards import DataReport
from ...contracts.data_spec import CLASSES_FROM, DataSpec
from ...contracts.window import GROUNDS, Window, parse_window, window_text
from ..gallery import gallery
from ..wiring import Part, Updates, Values

AUTOMATIC = "As the reader decides"
FROM_FILES = ("upload", "folder", "draft")
"""Sources whose folders, tables and names can be read in several ways."""
Field = gr.Textbox | gr.Dropdown
Subject = tuple[str, str]
"""(source, name) of a dataset."""


def _offered(words: Sequence[str]) -> list[tuple[str, str]]:
    return [(AUTOMATIC.lower(), ""), *((word, word) for word in words)]


_GROUNDS = _offered(GROUNDS)


@dataclass(frozen=True)
class ReadingForm:
    """The choices. `fields` are those of `DataSpec` that say how a dataset is read."""

    accordion: gr.Accordion
    other: gr.Radio
    """Its values are JSON: fields of the spec and what to set them to."""
    columns: gr.Row
    files: gr.Row
    pictures: gr.Row
    compared: gr.Gallery
    fields: dict[str, Field]
    subject: gr.State
    """The `Subject` that the fields are about, None before the first report."""

    @property
    def parts(self) -> list[Part]:
        """Everything that `show` may change."""
        rows: list[Part] = [self.accordion, self.columns, self.files, self.pictures]
        return [*rows, self.other, self.compared, self.subject, *self.fields.values()]

    @property
    def inputs(self) -> set[Component]:
        """Everything that `choices` and `picked` read."""
        return {self.other, self.subject, *self.fields.values()}

    def choices(self, values: Values, subject: Subject) -> dict[str, Any]:
        """What a person chose, as fields of the spec; nothing if it was about another dataset."""
        if values[self.subject] != subject:
            return {}
        chosen: dict[str, Any] = {
            name: (values[field] or "").strip() for name, field in self.fields.items()
        }
        chosen["window"] = parse_window(chosen["window"])
        return chosen

    def picked(self, values: Values) -> Values:
        """The values with the picked alternative in the fields."""
        picked = json.loads(values[self.other] or "{}")
        if not picked:
            return {**values, **dict.fromkeys(self.fields.values(), "")}
        changed = {self.fields[name]: str(word) for name, word in picked.items()}
        return {**values, **changed}

    def show(self, report: DataReport, spec: DataSpec) -> Updates:
        """Updates that offer what there is to choose."""
        unsure = bool(report.alternatives or report.doubt or report.problem or spec.reading())
        rows = {
            self.columns: bool(report.columns),
            self.files: bool(spec.corrections) or (unsure and spec.source in FROM_FILES),
            self.pictures: report.window != Window() or bool(report.comparisons),
        }
        others = [(a.text, json.dumps(dict(a.choice))) for a in report.alternatives]
        options = [(AUTOMATIC, "{}"), *others]
        return {
            **{row: gr.Row(visible=visible) for row, visible in rows.items()},
            **self._filled(report, spec),
            self.accordion: gr.Accordion(visible=any(rows.values()) or bool(others)),
            self.other: gr.Radio(options, value=None),
            self.compared: gr.Gallery(_pairs(report), visible=bool(report.comparisons)),
            self.subject: (spec.source, spec.name),
        }

    def _filled(self, report: DataReport, spec: DataSpec) -> Updates:
        """The fields with what holds now."""
        names = list(report.columns)
        values: dict[str, Any] = {
            "image_column": gr.Dropdown(names, value=report.image_column or None),
            "label_column": gr.Dropdown(names, value=report.label_column or None),
            "splits": spec.splits,
            "labels": spec.labels,
            "classes_from": spec.classes_from,
            "encoding": spec.encoding,
            "corrections": spec.corrections,
            "window": gr.Textbox(
                window_text(spec.window), placeholder=window_text(report.window.values)
            ),
            "ground": gr.Dropdown(
                _GROUNDS, value=spec.ground, info=f"now {report.window.ground or 'white'}"
            ),
        }
        return {self.fields[name]: value for name, value in values.items()}

    def hide(self) -> Updates:
        """Updates for a dataset that was not looked at."""
        return {self.accordion: gr.Accordion(visible=False)}


def build() -> ReadingForm:
    """Draws the choices into the open context, hidden until a report has something to choose."""
    with gr.Accordion("Read it another way", open=False, visible=False) as accordion:
        other = gr.Radio([], label="Ways to read it", elem_id="other-reading")
        with gr.Row(visible=False) as columns:
            fields: dict[str, Field] = _columns()
        with gr.Row(visible=False) as files:
            fields |= _files()
        with gr.Row(visible=False) as pictures:
            fields |= _pictures()
        compared = gallery(
            "Left as stored, right as read",
            "window-preview",
            columns=4,
            height=220,
            visible=False,
        )
    return ReadingForm(
        accordion, other, columns, files, pictures, compared, fields, subject=gr.State(None)
    )


def _columns() -> dict[str, Field]:
    return {
        "image_column": gr.Dropdown(
            [], value=None, label="Column with the image", allow_custom_value=True
        ),
        "label_column": gr.Dropdown(
            [], value=None, label="Column with the class", allow_custom_value=True
        ),
    }


def _files() -> dict[str, Field]:
    return {
        "classes_from": gr.Dropdown(
            _offered(CLASSES_FROM),
            value="",
            label="Classes from",
        ),
        "splits": gr.Textbox(label="Splits", placeholder="train=NAME,val=NAME,test=NAME or none"),
        "labels": gr.Textbox(label="Table with the labels", placeholder="metadata.csv"),
        "encoding": gr.Textbox(label="Encoding of file names", placeholder="gb18030"),
        "corrections": gr.Textbox(label="Corrections", placeholder="DIGEST=CLASS,DIGEST="),
    }


def _pictures() -> dict[str, Field]:
    return {
        "window": gr.Textbox(
            label="Darkest and brightest value",
            info="of pictures deeper than 8 bits",
        ),
        "ground": gr.Dropdown(_GROUNDS, value="", label="Behind transparent pictures"),
    }


def _pairs(report: DataReport) -> list[Image.Image]:
    """Each picture as stored and as read, side by side."""
    return [Image.open(io.BytesIO(side)) for pair in report.comparisons for side in pair]
