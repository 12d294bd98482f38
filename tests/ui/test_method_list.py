"""Methods in their families, and fields that show what a method or a backbone would take."""

import re
from dataclasses import replace

import gradio as gr
import pytest

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.families import BASELINES, BOTTLENECK, LOW_RANK
from peft_demo.contracts.specs import Recipe, RunSpec
from peft_demo.ui.train import method_list
from peft_demo.ui.train.method_list import OTHERS, in_families

from .fake import EVIL, METHODS


def test_families_come_in_order_and_the_recommended_method_first():
    own = replace(METHODS[0], name="own", title="Ours", family="")
    families = in_families([*METHODS, own])
    assert list(families) == [LOW_RANK, BOTTLENECK, BASELINES, OTHERS]
    second = replace(METHODS[2], name="a", title="A", family=LOW_RANK)
    assert [card.name for card in in_families([second, *METHODS])[LOW_RANK]] == ["lora", "a"]


def test_the_list_says_of_each_method_what_it_does_and_costs(service):
    listed = method_list.lister(service.training)("tiny", "arc")
    assert "38.8 k numbers · 148 kB" in listed and "A low-rank update" in listed
    assert re.findall("<b>(.*?)</b>", listed)[0] == "LoRA <i>recommended</i>"
    assert listed.count("recommended") == 1
    assert 'data-id="arc" aria-pressed="true"' in listed


def test_costs_are_asked_once_and_what_does_not_fit_is_said(service):
    asked = []

    def cost(run, classes):
        asked.append(run.method)
        raise BadValue("rank is larger than the width.")

    service.training.cost = cost
    lister = method_list.lister(service.training)
    assert lister("tiny", "arc").count("not on this backbone") == len(METHODS)
    lister("tiny", "lora")
    assert len(asked) == len(METHODS)


def test_what_methods_say_is_text():
    evil = replace(METHODS[0], title=EVIL, summary=EVIL, name=EVIL)
    assert "<img" not in method_list.draw([evil], {}, "lora")


def test_a_press_chooses_the_method_and_its_rates(page):
    form = page.train.form
    families = page.train.families
    choose = method_list.chooser(form.own, form.choice.method, families)
    updates = choose(gr.SelectData(None, {"index": 0, "value": "choose arc"}))
    lr, head_lr = form.own.shown_rates
    assert updates[form.choice.method] == "arc" and not updates[families.accordion].open
    assert (updates[lr], updates[head_lr]) == (5e-3, 1e-3)
    with pytest.raises(gr.Error):
        choose(gr.SelectData(None, {"index": 0, "value": "choose nothing"}))


def test_fields_show_real_values_and_the_spec_says_the_same_as_before(page):
    form = page.train.form
    lr, head_lr = form.own.shown_rates
    size = form.extras.size
    assert (lr.value, head_lr.value, size.value) == (3e-3, 1e-3, 96)
    assert form.spec(page.values) == RunSpec(method="lora", backbone="tiny")
    changed = form.spec({**page.values, lr: 2e-3, size: 64})
    assert changed.recipe == Recipe(lr=2e-3) and changed.size == 64
    open_still = form.spec({**page.values, lr: 0, size: 0})
    assert open_still == RunSpec(method="lora", backbone="tiny")


def test_an_earlier_run_shows_the_values_that_it_took(page, service):
    form = page.train.form
    lr, head_lr = form.own.shown_rates
    run = RunSpec("arc", recipe=Recipe(lr=0.5), backbone="tiny")
    updates = form.refill(run, service.data, service.zoo)
    assert (updates[lr], updates[head_lr], updates[form.extras.size]) == (0.5, 1e-3, 96)


def test_a_page_of_an_earlier_version_remembered_zeros(page):
    form = page.train.form
    lr, _ = form.own.shown_rates
    kept = {"method": "arc", "recipe": {"lr": 0.0}, "size": 0}
    updates = page.train.memory.recall(kept)
    assert updates[lr] == 5e-3 and updates[form.extras.size] == 96
