"""The tab Data: the report, and the choice of another way to read the dataset."""

import io
import json
from dataclasses import replace

import gradio as gr
import pytest
from PIL import Image

from peft_demo.contracts.cards import Alternative, ClassCount, DataReport
from peft_demo.contracts.specs import DataSpec
from peft_demo.contracts.window import Window
from peft_demo.ui.data import reading
from peft_demo.ui.data.report import alert, summary

SPEC = DataSpec("upload", "photos-0123.zip")
PARENT = Alternative("the folder around each picture", (("classes_from", "parent"),))
COUNTS = (ClassCount("cat", 3, 1, 1, 1), ClassCount("dog", 3, 1, 1, 1))
PLAIN = DataReport("photos", COUNTS, reading="no splits; classes from folders")


@pytest.fixture
def form():
    with gr.Blocks():
        return reading.build()


def values_of(form, **said):
    """Values of the page: `said` by name of the field, the rest empty."""
    values = dict.fromkeys(form.fields.values(), "")
    values |= {form.fields[name]: value for name, value in said.items()}
    return {**values, form.subject: ("upload", "photos-0123.zip"), form.other: None}


def visible(form, updates) -> set[str]:
    rows = {"all": form.accordion, "columns": form.columns, "files": form.files}
    rows |= {"pictures": form.pictures, "compared": form.compared}
    return {name for name, part in rows.items() if updates[part].visible}


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    return file.getvalue()


def test_where_there_is_nothing_to_choose_nothing_is_shown(form):
    assert visible(form, form.show(PLAIN, DataSpec())) == set()


def test_alternatives_are_offered_by_name(form):
    updates = form.show(replace(PLAIN, alternatives=(PARENT,)), SPEC)
    assert visible(form, updates) == {"all", "files"}
    labels = [label for label, _ in updates[form.other].choices]
    assert labels == ["As the reader decides", "the folder around each picture"]


def test_columns_and_windows_are_shown_where_there_are_some(form):
    hub = replace(PLAIN, columns=("image", "label", "dx"), label_column="label")
    updates = form.show(hub, DataSpec("hub", "a/b"))
    assert visible(form, updates) == {"all", "columns"}
    assert updates[form.fields["label_column"]].value == "label"
    deep = replace(PLAIN, window=Window((0, 4095)), comparisons=((jpeg(), jpeg()),))
    updates = form.show(deep, SPEC)
    assert visible(form, updates) == {"all", "pictures", "compared"}
    assert updates[form.fields["window"]].placeholder == "0,4095"
    assert len(updates[form.compared].value) == 2


def test_what_is_picked_fills_the_fields_and_the_first_one_empties_them(form):
    values = values_of(form, splits="train=a,test=b")
    picked = form.picked({**values, form.other: json.dumps({"classes_from": "parent"})})
    chosen = form.choices(picked, ("upload", "photos-0123.zip"))
    assert chosen["classes_from"] == "parent" and chosen["splits"] == "train=a,test=b"
    emptied = form.picked({**values, form.other: "{}"})
    assert not any(form.choices(emptied, ("upload", "photos-0123.zip")).values())


def test_choices_hold_for_the_dataset_they_were_made_for(form):
    values = values_of(form, classes_from="name", window="0,9")
    chosen = form.choices(values, ("upload", "photos-0123.zip"))
    assert DataSpec("upload", "x", **chosen).window == (0, 9)
    assert form.choices(values, ("upload", "other.zip")) == {}


def test_the_summary_says_how_it_was_read_and_what_to_look_at_first():
    words = summary(replace(PLAIN, doubt="3 pictures blank.", problem=""))
    assert "**Read as:** no splits\\; classes from folders" in words
    assert "blank" not in words
    assert alert(replace(PLAIN, doubt="3 pictures blank.")) == "**Look first:** 3 pictures blank\\."
    assert "**Cannot be trained on yet:** " in alert(replace(PLAIN, problem="one class."))
    assert alert(PLAIN) == ""
