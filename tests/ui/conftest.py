"""A page over the fake service, built but not served."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import pytest

from peft_demo.ui import adapters, data, header, train
from peft_demo.ui.data import DataTab
from peft_demo.ui.page import Page, new_page
from peft_demo.ui.train import TrainTab

from .fake import Fake

BROWSER = "a" * 32
"""The id that a browser has kept."""


@dataclass(frozen=True)
class BuiltPage:
    """The tabs Data and Train, and every input at the value that a fresh page has."""

    page: Page
    data: DataTab
    train: TrainTab
    values: dict[Any, Any]


@pytest.fixture
def service(tmp_path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def page(service) -> BuiltPage:
    with gr.Blocks(analytics_enabled=False) as blocks:
        shared = new_page(blocks)
        top = header.build()
        with gr.Tab("Data") as tab:
            data_tab = data.build(shared, tab, service.data, offline=True, allow_local_paths=False)
        with gr.Tab("Train") as tab:
            train_tab = train.build(
                shared, tab, top, data_tab.form, service.training, service.data, service.zoo
            )
    values = {part: getattr(part, "value", None) for part in train_tab.form.inputs}
    values[shared.client] = BROWSER
    return BuiltPage(shared, data_tab, train_tab, values)


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    """Gradio keeps what is sent in a folder of the test."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "tmp"))


@pytest.fixture
def empty_page() -> Page:
    with gr.Blocks(analytics_enabled=False) as blocks:
        return new_page(blocks)


@pytest.fixture
def tab(service, empty_page) -> adapters.AdaptersTab:
    """The tab Adapters on an empty page."""
    with empty_page.blocks, gr.Tab("Adapters") as opened:
        form = data.build(
            empty_page, opened, service.data, offline=True, allow_local_paths=False
        ).form
        return adapters.build(
            empty_page,
            opened,
            form,
            service.zoo,
            service.hub,
            service.answers,
            service.training,
            offline=True,
        )


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """The words of every toast that is no error."""
    words: list[str] = []
    monkeypatch.setattr(gr, "Info", lambda message, **_: words.append(message))
    monkeypatch.setattr(gr, "Warning", lambda message, **_: words.append(message))
    return words
