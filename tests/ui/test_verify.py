"""Verify: one sentence about the adapter that is open."""

import gradio as gr
import pytest

from peft_demo.contracts.errors import BadAdapter
from peft_demo.contracts.verification import Verification
from peft_demo.ui.adapters import verify


def test_it_says_that_the_adapter_answers_as_it_did(service):
    words = verify.verifier(service.zoo)("evil")
    assert words.startswith("**Verified.** It answers as it did when it was made")


def test_what_may_be_wrong_stands_there_as_text(service, monkeypatch):
    result = Verification("a fake", 2.0, 0.1, False, False, ("Its class <b>cup</b> is another.",))
    monkeypatch.setattr(service.zoo, "verify", lambda id: result)
    words = verify.verifier(service.zoo)("evil")
    assert words.startswith("**Something is wrong.** It answers otherwise") and "<b>" not in words


def test_why_it_cannot_be_told_stands_in_its_place(service, monkeypatch):
    def refuse(id):
        raise BadAdapter("it does not say what it answered.")

    monkeypatch.setattr(service.zoo, "verify", refuse)
    words = verify.verifier(service.zoo)("evil")
    assert words.startswith("**Not verified.** It does not say what it answered")
    with pytest.raises(gr.Error, match="No adapter is chosen"):
        verify.verifier(service.zoo)("")


def test_a_file_that_cannot_be_read_has_nothing_to_verify(service, tab):
    shown = tab.details
    assert not shown.show("broken", service.zoo)[shown.actions.verify].interactive
    assert shown.show("evil", service.zoo)[shown.actions.verify].interactive
