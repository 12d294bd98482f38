"""The page: one tab one file, over a `Service`. Nothing here knows torch; importing it loads Gradio and pandas only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from ..contracts.errors import UnknownName
from ..contracts.service import Service
from . import adapters, api, classify, collect, data, guide, header, session, train
from .theme import CSS, theme
from .toasts import QUEUED, UNQUEUED, speaking

ICON = Path(__file__).with_name("icon.svg")


def build(
    service: Service, banner: Callable[[], None] | None = None
) -> tuple[gr.Blocks, dict[str, Any]]:
    """The page and the arguments to launch it with: closed to the outside, nothing fetched, nothing kept in the browser
    but an id. `banner` draws what stands between the header and the tabs, if anything."""
    with gr.Blocks(
        title="PEFT Demo", analytics_enabled=False, delete_cache=(3600, 86400), fill_width=True
    ) as demo:
        client = session.client()
        top = header.build(service)
        if banner is not None:
            banner()
        with gr.Tabs() as tabs:
            with gr.Tab("Classify", id="classify") as tab:
                classify_tab = classify.build(tab, service)
            with gr.Tab("Data", id="data") as tab:
                data_tab = data.build(tab, service, client)
            with gr.Tab("Train", id="train") as tab:
                train_tab = train.build(tab, service, top, data_tab)
            with gr.Tab("Adapters", id="adapters") as tab:
                adapters_tab = adapters.build(tab, service)
            with gr.Tab("Help", id="help"):
                guide.build(service)
        api.build(service)
        _wire(demo, service, tabs, client, data_tab, train_tab, adapters_tab, classify_tab)
    api.keep_private(demo)
    return demo.queue(default_concurrency_limit=4, max_size=32), launch_arguments()


def launch_arguments() -> dict[str, Any]:
    """Every switch that keeps the page to itself; see `tests/ui/test_launch.py`. With `pwa` a browser can install the
    page as an app in a window of its own; manifest and icon are served from here."""
    return {
        "share": False,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": [],
        "allowed_paths": [],
        "max_file_size": "200mb",
        "show_error": False,
        "pwa": True,
        "favicon_path": str(ICON),
        "theme": theme(),
        "css": CSS,
    }


def _wire(demo, service, tabs, client, data_tab, train_tab, adapters_tab, classify_tab) -> None:
    header.wire(demo, service, train_tab.header)
    data.wire(demo, service, data_tab)
    train.wire(demo, service, train_tab)
    adapters.wire(demo, service, adapters_tab)
    added = classify.wire(demo, service, classify_tab, adapters_tab.stamp, client)
    collect.reload_after(added, service, data_tab.pool, client)
    _wire_between(service, tabs, train_tab, adapters_tab, classify_tab)


def _wire_between(service, tabs, train_tab, adapters_tab, classify_tab) -> None:
    """What leads from one tab to another."""
    to_classify = [tabs, classify_tab.adapter]
    for button, id in (
        (train_tab.watch.classify, train_tab.watch.adapter),
        (adapters_tab.classify, adapters_tab.chosen),
    ):
        button.click(_asker(service), id, to_classify, **QUEUED)
    train_tab.watch.adapter.change(
        lambda stamp: stamp + 1, adapters_tab.stamp, adapters_tab.stamp, **UNQUEUED
    )
    form = [tabs, *train_tab.widgets, train_tab.header.backbone]
    form += [
        train_tab.data.source,
        train_tab.data.bundled,
        train_tab.data.shots,
        train_tab.data.seed,
    ]
    adapters_tab.again.click(
        _repeater(service, tabs, train_tab), adapters_tab.chosen, form, **QUEUED
    )


def _asker(service: Service):
    def ask(id: str):
        known = classify.usable(service)
        if id not in known:
            raise UnknownName("adapter", id, known)
        return gr.Tabs(selected="classify"), gr.Dropdown(known, value=id)

    return speaking(ask)


def _repeater(service: Service, tabs: gr.Tabs, tab: train.TrainTab):
    def repeat(id: str) -> dict:
        spec = adapters.spec_of(service, id)
        return {tabs: gr.Tabs(selected="train"), **train.refill(tab, service, spec)}

    return speaking(repeat)
