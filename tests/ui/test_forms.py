"""Every knob there can be becomes a widget, and what the widget holds is checked by the knob."""

import gradio as gr
import pytest

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.knobs import Knob, knobs
from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.ui import forms
from peft_demo.ui.train.form import IN_THE_OPEN

from .fake import METHODS

SOME = (
    Knob("rank", "Rank", "int", 8, 1, 256),
    Knob("steps", "Steps", "int", 100, 1, 10_000),
    Knob("scale", "Scale", "float", 1.0, 0.0, 10.0),
    Knob("drop", "Drop", "bool", False),
    Knob("start", "Start", "choice", "zero", choices=("zero", "paper")),
    Knob("bits", "Bits", "choice", 1, choices=(1, 2, 4, 8)),
    Knob("targets", "Targets", "choices", ("q", "v"), choices=("q", "k", "v")),
)


@pytest.fixture
def form() -> forms.Form:
    with gr.Blocks(analytics_enabled=False):
        return forms.draw(SOME)


def fresh(form: forms.Form) -> dict:
    """Every widget at the value that a fresh page has."""
    return {widget: widget.value for widget in form.widgets}


def test_a_fresh_form_says_the_defaults(form):
    assert form.values(fresh(form)) == {knob.name: knob.default for knob in SOME}
    assert form.changed(fresh(form)) == {}


def test_a_refilled_form_says_what_it_was_given(form):
    largest = {knob.name: knob.ends()[1] for knob in SOME}
    assert form.values(form.refill(largest)) == largest


@pytest.mark.parametrize(
    ("name", "value"), [("rank", 300), ("rank", None), ("scale", -1.0), ("targets", [])]
)
def test_bad_values_are_refused_in_a_sentence(form, name, value):
    values = fresh(form)
    (changed,) = (widget for knob, widget in form.fields if knob.name == name)
    values[changed] = value
    with pytest.raises(BadValue):
        form.values(values)


@pytest.mark.parametrize("knob", SOME, ids=lambda knob: knob.name)
def test_the_widget_takes_both_ends(form, knob):
    """What is valid is not stopped by the widget itself."""
    (widget,) = (widget for own, widget in form.fields if own is knob)
    for end in knob.ends():
        sent = list(end) if isinstance(end, tuple) else end
        assert knob.check(widget.preprocess(sent)) == end


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_few_knobs_stand_in_the_open(method):
    shown, folded = forms.split(method.knobs, 3)
    assert len(shown) <= 3 and {*shown, *folded} == set(method.knobs)
    assert len(shown) + 2 <= IN_THE_OPEN and not any(knob.advanced for knob in shown)


def test_every_method_has_a_form_and_a_fresh_page_describes_a_run(page):
    form = page.train.form
    assert set(form.methods) == {method.name for method in METHODS}
    run = form.spec(page.values)
    assert run == RunSpec(method="lora", backbone="tiny")
    assert RunSpec.from_json(run.to_json()) == run


def test_the_recipe_is_complete(page):
    assert [k.name for k, _ in page.train.form.recipe.fields] == [k.name for k in knobs(Recipe)]
