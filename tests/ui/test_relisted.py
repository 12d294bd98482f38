"""A list that is filled anew leaves what is chosen alone: its answer may come late."""

import gradio as gr

from peft_demo.ui.train.go_on_from import lister
from peft_demo.ui.wiring import relisted


def test_a_value_is_sent_only_where_the_chosen_one_has_gone():
    kept = relisted(gr.Dropdown, ["a", "b"], "a", "a")
    assert kept._constructor_args[0] == {"choices": ["a", "b"]}
    gone = relisted(gr.Radio, ["b"], "a", "b")
    assert gone._constructor_args[0] == {"choices": ["b"], "value": "b"}


def test_the_origin_of_a_run_stays_as_it_is(service):
    listed = lister(service.zoo)
    assert "value" not in listed("lora-digits-0")._constructor_args[0]
    assert "value" not in listed("")._constructor_args[0]
    assert listed("deleted")._constructor_args[0]["value"] == ""
