"""The form becomes a spec, a cost and a command; an earlier run refills it."""

from dataclasses import replace

import pytest
from gradio.components import Component

from peft_demo.contracts.cards import Cost
from peft_demo.contracts.specs import DataSpec, RunSpec
from peft_demo.ui.classify.usable import usable
from peft_demo.ui.data.form import Checked
from peft_demo.ui.forms import Form
from peft_demo.ui.train import estimate, go_on_from, method_chooser

from .conftest import BROWSER
from .fake import EVIL


def widget(form: Form, name: str) -> Component:
    return next(widget for knob, widget in form.fields if knob.name == name)


@pytest.fixture
def estimates(page, service):
    """`estimates(changed)` are the updates for the form's values, some of them changed."""
    train = page.train
    handler = estimate.estimator(
        train.form,
        train.estimate,
        train.buttons,
        train.memory,
        service.training,
        service.data,
    )

    def ask(changed=None):
        return handler({**page.values, **(changed or {})})

    return ask


def test_the_cost_follows_the_knobs(page, estimates):
    lines = page.train.estimate
    rank = widget(page.train.form.methods["lora"].form, "rank")
    before = estimates()
    after = estimates({rank: 4})
    assert "36\u202f864" in before[lines.cost] and "18\u202f432" in after[lines.cost]
    assert "rank" not in before[lines.command] and "--set rank=4" in after[lines.command]
    assert before[page.train.buttons.blocked] == ""


def test_the_duration_is_said_where_earlier_runs_tell_it(page, service, estimates):
    lines = page.train.estimate
    assert "About" not in estimates()[lines.cost]
    cost = service.training.cost
    service.training.cost = lambda *of: replace(cost(*of), seconds=95.0)
    assert "About 1 min 35 s" in estimates()[lines.cost]


def test_a_search_multiplies_the_cost_and_says_what_it_does(page, estimates):
    lines = page.train.estimate
    tune = page.train.form.extras.tune
    plain, tuned = estimates(), estimates({tune: 8})
    assert "100 steps." in plain[lines.cost] and "trials" not in plain[lines.cost]
    assert "800 steps." in tuned[lines.cost] and "8 trials" in tuned[lines.cost]
    assert "--tune 8" in tuned[lines.command]
    assert "tune takes" in estimates({tune: 1})[page.train.buttons.blocked].lower()


def test_a_run_may_go_on_from_an_adapter_and_the_page_says_what_is_not_used(
    page, service, estimates
):
    form = page.train.form
    origin = form.extras.origin
    offered = go_on_from.choices(service.zoo, "lora-digits-0")
    assert [id for _, id in offered.choices] == ["", *usable(service.zoo)]
    assert offered.value == "lora-digits-0" and go_on_from.choices(service.zoo, "gone").value == ""
    updates = estimates({origin: "lora-digits-0"})
    lines = page.train.estimate
    assert "goes on from **lora\\-digits\\-0**" in updates[lines.cost]
    assert "--from lora-digits-0" in updates[lines.command]
    assert "--method" not in updates[lines.command]
    run = form.spec({**page.values, origin: "lora-digits-0"})
    filled = form.refill(run, service.data, service.zoo)
    assert filled[origin].value == "lora-digits-0"
    assert form.refill(RunSpec(), service.data, service.zoo)[origin] == ""


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


def test_without_data_nothing_is_priced_and_start_says_why(page, estimates):
    lines = page.train.estimate
    updates = estimates({page.data.form.sources.choice: "upload"})
    assert "Drop a zip" in updates[lines.reason].value
    assert not updates[lines.cost] and not updates[lines.command]
    assert "Drop a zip" in updates[page.train.buttons.blocked]


def test_data_that_cannot_be_trained_on_closes_start(page, estimates):
    form = page.data.form
    checked = Checked("bundled", "digits", 1, 16, "two classes at least are needed.")
    updates = estimates({form.checked: checked})
    assert updates[page.train.buttons.blocked] == "Two classes at least are needed."


def test_steps_go_by_the_images_that_a_check_has_counted(page, estimates):
    form = page.data.form
    lines = page.train.estimate
    unknown = estimates()
    few = Checked("bundled", "digits", 10, 32, "")
    counted = estimates({form.checked: few})
    other = estimates({form.checked: replace(few, name="shapes")})
    assert "100 steps" in unknown[lines.cost] and other[lines.cost] == unknown[lines.cost]
    assert "20 steps" in counted[lines.cost] and "32 images to train on" in counted[lines.data]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epochs", 2.5, "Epochs takes"),
        ("lr", 100, "Learning rate takes"),
        ("epochs", None, "empty"),
    ],
)
def test_an_impossible_number_is_named_by_its_label(page, estimates, name, value, words):
    updates = estimates({widget(page.train.form.recipe, name): value})
    assert words in updates[page.train.buttons.blocked]


def test_the_browsers_memory_fills_the_form_again(page, estimates):
    form = page.train.form
    rank = widget(form.methods["lora"].form, "rank")
    shots = page.data.form.shots
    kept = estimates({rank: 4, shots: 3})[page.train.memory.state]
    recalled = page.train.memory.recall(kept)
    assert (recalled[rank], recalled[shots]) == (4, 3)
    assert set(recalled) <= set(page.train.memory.outputs)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "text",
        {"method": "gone", "source": "folder", "knobs": 3, "recipe": [], "shots": "many"},
        {"method": "lora", "knobs": {"rank": "<img>", "targets": 7}, "bundled": "/etc/passwd"},
        {"name": "x" * 10_000, "upload": {"a": 1}, "seed": True},
    ],
)
def test_what_the_browser_makes_up_is_left_out(page, odd):
    """It may write anything where its memory is kept."""
    form = page.train.form
    recalled = page.train.memory.recall(odd)
    assert form.spec({**page.values, **recalled}).data.name == "digits"


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
