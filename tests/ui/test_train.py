"""The form becomes a spec, a price and a command; an earlier run refills it."""

from peft_demo.contracts.cards import Cost
from peft_demo.contracts.specs import DataSpec, RunSpec
from peft_demo.ui import train

from .fake import EVIL


def widget(form, name):
    return next(w for k, w in form.fields if k.name == name)


def test_the_price_follows_the_knobs(page, service):
    estimate = train._estimator(service, page.train)
    rank = widget(page.train.forms["lora"], "rank")
    _, before, command = estimate(page.given)
    _, after, changed = estimate(page.given | {rank: 4})
    assert "36\u2009864" in before and "18\u2009432" in after
    assert "rank" not in command and "--set rank=4" in changed


def test_another_method_opens_its_form_and_closes_the_one_before(page, service):
    drawn = {
        name for name, pair in page.train.groups.items() if all(column.visible for column in pair)
    }
    assert drawn == {page.train.drawn.value} == {"lora"}
    changed = train._chooser(service, page.train)("arc", "lora")
    assert changed[page.train.drawn] == "arc" and "One projection" in changed[page.train.about]
    assert all(changed[column].visible for column in page.train.groups["arc"])
    assert not any(changed[column].visible for column in page.train.groups["lora"])
    assert not set(page.train.groups["linear"]) & set(changed)


def test_nothing_is_priced_without_data(page, service):
    said, price, command = train._estimator(service, page.train)(
        page.given | {page.data.source: "upload"}
    )
    assert "Drop a zip" in said and not price and not command


def test_a_budget_says_so():
    assert "about" in train.cost_line(Cost(400_000, 10, 0.0047, 100, 10, budget=True), 10)


def test_a_run_refills_the_form(page, service):
    run = RunSpec("arc", {"rank": 50}, DataSpec("bundled", "shapes", 4, 7), "tiny")
    filled = train.refill(page.train, service, run)
    assert filled[widget(page.train.forms["arc"], "rank")] == 50
    again = page.train.spec(page.given | filled)
    assert again == run


def test_unknown_methods_and_sets_leave_the_form_alone(page, service):
    filled = train.refill(
        page.train, service, RunSpec("gone", {}, DataSpec("draft", "b" * 32), "gone")
    )
    assert page.train.method not in filled and page.data.source not in filled


def test_classes_of_own_data_are_counted(page, service):
    service.data.drafts.cards["a" * 32] = {"cat": ("x",), EVIL: ("y",)}
    spec = page.data.spec(page.given | {page.data.source: "draft"})
    assert train.class_count(service, spec, None) == 2
