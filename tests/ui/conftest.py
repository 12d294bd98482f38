"""A page over the fake service, built but not served."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import pytest

from peft_demo.ui import data, header, train
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
