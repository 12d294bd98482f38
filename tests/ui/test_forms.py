"""Every knob there can be becomes a widget, and what the widget holds is checked by the knob."""

import gradio as gr
import pytest

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.knobs import Knob, knobs
from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.ui import forms
from peft_demo.ui.train import IN_THE_OPEN

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
def form():
    with gr.Blocks(analytics_enabled=False):
        return forms.draw(SOME)


def test_a_fresh_form_says_the_defaults(form):
    given = {w: w.value for w in form.widgets}
    assert form.values(given) == {k.name: k.default for k in SOME}
    assert form.changed(given) == {}


def test_a_refilled_form_says_what_it_was_given(form):
    wanted = {k.name: k.ends()[1] for k in SOME}
    assert form.values(form.refill(wanted)) == wanted


@pytest.mark.parametrize(
    ("name", "value"), [("rank", 300), ("rank", None), ("scale", -1.0), ("targets", [])]
)
def test_bad_values_are_refused_in_a_sentence(form, name, value):
    given = {w: w.value for w in form.widgets} | {
        w: value for k, w in form.fields if k.name == name
    }
    with pytest.raises(BadValue):
        form.values(given)


@pytest.mark.parametrize("knob", SOME, ids=lambda k: k.name)
def test_the_widget_takes_both_ends(form, knob):
    """What is valid is not stopped by the widget itself."""
    found = next(w for k, w in form.fields if k is knob)
    for end in knob.ends():
        assert knob.check(found.preprocess(list(end) if isinstance(end, tuple) else end)) == end


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_few_knobs_stand_in_the_open(method):
    shown, folded = forms.split(method.knobs, 3)
    assert len(shown) <= 3 and {*shown, *folded} == set(method.knobs)
    assert len(shown) + 2 <= IN_THE_OPEN and not any(k.advanced for k in shown)


def test_every_method_has_a_form_and_a_fresh_page_describes_a_run(page):
    assert set(page.train.forms) == {m.name for m in METHODS}
    run = page.train.spec(page.given)
    assert (
        run == RunSpec(method="lora", backbone="tiny") and RunSpec.from_json(run.to_json()) == run
    )


def test_the_recipe_is_complete(page):
    assert [k.name for k, _ in page.train.recipe.fields] == [k.name for k in knobs(Recipe)]
