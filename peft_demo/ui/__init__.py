"""The page: one folder a tab, over the six parts of a `Service`.

Nothing here knows torch; importing this room loads Gradio and pandas only.

To add a tab, write a module (or a folder, once it grows) whose `build` draws the tab and connects
its own events:

    def build(page: Page, tab: gr.Tab, training: Training) -> None:
        table = gr.Dataframe(headers=["run", "state"], label="Runs")

        def rows() -> list[list[str]]:
            return [[run.id, str(run.state)] for run in training.runs()]

        tab.select(speaking(rows), outputs=table, **QUEUED)      # filled whenever it is opened

It asks for the parts of the service that it needs. `tab.select` fills a tab when it is opened,
`page.timer` keeps it up to date, and `page.blocks.load` fills it before: every page that loads
waits for that, so prefer the first. Then draw it in `_draw_tabs`. Buttons that lead to another tab
are connected in `links`, and errors become sentences by `toasts.speaking`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ..contracts.service import Service
from . import adapters, address, api, classify, compare, data, guide, header, links, train
from .classify.example import example
from .compression import CompressedPage
from .origins import guarded as guarded
from .page import Page, new_page
from .scripts import script
from .theme import css, theme

ICON = Path(__file__).with_name("icon.svg")
WAITING = 256
"""Events that wait at most, over all visitors: fifty who ask at once, five events each. Classifying
is answered one at a time (`wiring.ON_DEVICE`), beside whatever else waits.
"""


def build(
    service: Service, banner: Callable[[], None] | None = None
) -> tuple[gr.Blocks, dict[str, Any]]:
    """The page and the arguments to launch it with: closed to the outside, nothing fetched, nothing
    kept in the browser but an id. `banner` draws what stands between the header and the tabs, if
    anything.
    """
    with gr.Blocks(
        title="PEFT Demo", analytics_enabled=False, delete_cache=(3600, 86400), fill_width=True
    ) as blocks:
        # Of an empty page: Gradio describes all that is drawn whenever its queue is set.
        blocks.queue(default_concurrency_limit=4, max_size=WAITING)
        page = new_page(blocks)
        top = header.build()
        if banner is not None:
            banner()
        _draw_tabs(page, top, service)
        api.build(service.zoo, service.answers)
    api.keep_private(blocks)
    return blocks, launch_arguments()


def _draw_tabs(page: Page, top: header.Header, service: Service) -> None:
    with gr.Tabs() as tabs:
        with _tab("Classify") as tab:
            classify_tab = classify.build(
                page, tab, service.zoo, service.answers, service.data, service.training
            )
        with _tab("Data") as tab:
            data_tab = data.build(
                page,
                tab,
                service.data,
                offline=service.offline,
                allow_local_paths=service.allow_local_paths,
            )
        with _tab("Train") as tab:
            train_tab = train.build(
                page, tab, top, data_tab.form, service.training, service.data, service.zoo
            )
        with _tab("Compare") as tab:
            compare.build(
                page,
                tab,
                data_tab.form,
                service.comparisons,
                service.training,
                service.data,
                service.zoo,
            )
        with _tab("Adapters") as tab:
            adapters_tab = adapters.build(
                page,
                tab,
                data_tab.form,
                service.zoo,
                service.hub,
                service.answers,
                service.training,
                offline=service.offline,
            )
        with _tab("Help"):
            guide.build(service.training)
    links.connect(tabs, classify_tab, data_tab, train_tab, adapters_tab, service.zoo, service.data)
    links.reopen(page, tabs, train_tab)


def _tab(title: str) -> gr.Tab:
    """A tab whose id is its title in small letters; the address names it while it is open."""
    id = title.lower()
    tab = gr.Tab(title, id=id)
    address.name_tab(tab, id, is_first=id == links.TABS[0])
    return tab


def warm_up(service: Service) -> None:
    """Afterwards what the first page shows is in memory."""
    example(service.zoo, service.answers)


def launch_arguments() -> dict[str, Any]:
    """Every switch that keeps the page to itself; see `tests/ui/test_launch.py`.

    With `pwa` a browser can install the page as an app in a window of its own; manifest and icon
    are served from here.
    """
    return {
        "share": False,
        # Gradio would ask for the page once and give up after 3 s: on a busy machine, or where a
        # proxy stands between, it would refuse to start.
        "_frontend": False,
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
        "app_kwargs": {"middleware": [Middleware(CompressedPage)]},
        "css": css(),
        "js": script("inbox"),
    }
