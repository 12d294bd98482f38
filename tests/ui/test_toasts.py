"""Failures reach the page as sentences without markup and without paths."""

import gradio as gr
import pytest

from peft_demo.contracts.errors import BadData, UnknownName
from peft_demo.ui.toasts import UNFORESEEN, speaking


def failing(error):
    def handler():
        raise error

    return speaking(handler)


def test_a_known_error_is_its_sentence_and_hint():
    with pytest.raises(gr.Error) as caught:
        failing(BadData("two classes at least are needed", "add one"))()
    assert caught.value.message == "Two classes at least are needed. Add one."
    assert not caught.value.print_exception


def test_markup_is_escaped():
    """Toasts show HTML, images and all: a name in an error must not fetch one."""
    with pytest.raises(gr.Error) as caught:
        failing(UnknownName("adapter", "<img src=http://evil.example/x.png>", []))()
    assert "<img" not in caught.value.message and "&lt;img" in caught.value.message


def test_an_unforeseen_error_says_no_more_than_that(caplog):
    with pytest.raises(gr.Error) as caught:
        failing(RuntimeError("/home/someone/secret"))()
    assert caught.value.message == UNFORESEEN and "secret" in caplog.text
