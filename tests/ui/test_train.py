"""The form becomes a spec, a cost and a command; an earlier run refills it."""

import pytest
from gradio.components import Component

from peft_demo.contracts.cards import Cost
from peft_demo.contracts.specs import DataSpec, RunSpec
from peft_demo.ui.forms import Form
from peft_demo.ui.train import estimate, method_chooser

from .conftest import BROWSER
from .fake import EVIL


def widget(form: Form, name: str) -> Component:
    return next(widget for knob, widget in form.fields if knob.name == name)


@pytest.fixture
def estimates(page, service):
    """`estimates(**changed)` are the three lines for the form's values, some of them changed."""
    lines = page.train.estimate
    handler = estimate.estimator(page.train.form, lines, service.training, service.data)

    def ask(changed=None):
        updates = handler({**page.values, **(changed or {})})
        return [updates[part] for part in lines.parts]

    return ask


def test_the_cost_follows_the_knobs(page, estimates):
    rank = widget(page.train.form.methods["lora"].form, "rank")
    _, before, command = estimates()
    _, after, changed = estimates({rank: 4})
    assert "36\u2009864" in before and "18\u2009432" in after
    assert "rank" not in command and "--set rank=4" in changed


def test_another_method_opens_its_form_and_closes_the_one_before(page, service):
    form = page.train.form
    view = page.train.view
    methods = form.methods
    opened = {name for name in methods if all(c.visible for c in methods[name].columns)}
    assert opened == {form.choice.shown.value} == {"lora"}
    updates = method_chooser(form, view.sketch, service.training)("arc", "lora")
    assert updates[form.choice.shown] == "arc"
    assert "One projection" in updates[form.choice.summary]
    assert all(updates[column].visible for column in methods["arc"].columns)
    assert not any(updates[column].visible for column in methods["lora"].columns)
    assert not set(methods["linear"].columns) & set(updates)


def test_nothing_is_priced_without_data(page, estimates):
    reason, cost, command = estimates({page.data.form.sources.choice: "upload"})
    assert "Drop a zip" in reason and not cost and not command


def test_a_budget_says_so():
    cost = Cost(400_000, 10, 0.0047, 100, 10, budget=True)
    assert "about" in estimate.cost_line(cost, 10)


def test_a_run_refills_the_form(page, service):
    form = page.train.form
    run = RunSpec("arc", {"rank": 50}, DataSpec("bundled", "shapes", 4, 7), "tiny")
    filled = form.refill(run, service.data, service.zoo)
    assert filled[widget(form.methods["arc"].form, "rank")] == 50
    assert form.spec({**page.values, **filled}) == run
    assert set(filled) <= set(form.refilled)


def test_unknown_methods_and_sets_leave_the_form_alone(page, service):
    form = page.train.form
    run = RunSpec("gone", {}, DataSpec("draft", "b" * 32), "gone")
    filled = form.refill(run, service.data, service.zoo)
    assert form.choice.method not in filled
    assert page.data.form.sources.choice not in filled


def test_classes_of_own_data_are_counted(page, service):
    service.data.drafts.cards[BROWSER] = {"cat": ("x",), EVIL: ("y",)}
    form = page.data.form
    spec = form.spec({**page.values, form.sources.choice: "draft"})
    assert estimate.class_count(service.data, spec, None) == 2
