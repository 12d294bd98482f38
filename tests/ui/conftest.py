"""A page over the fake, built but not served."""

from types import SimpleNamespace

import gradio as gr
import pytest

from peft_demo.ui import data, header, session, train

from .fake import Fake


@pytest.fixture
def service(tmp_path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def page(service):
    """The tabs Data and Train in a `Blocks`, and `given`: every input at the value a fresh page has."""
    with gr.Blocks(analytics_enabled=False) as demo:
        client = session.client()
        with gr.Tab("Data") as data_tab:
            looked = data.build(data_tab, service, client)
        with gr.Tab("Train") as train_tab:
            tab = train.build(train_tab, service, header.build(service), looked)
    given = {c: getattr(c, "value", None) for c in tab.inputs} | {client: "a" * 32}
    return SimpleNamespace(demo=demo, train=tab, data=tab.data, given=given, client=client)
