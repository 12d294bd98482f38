"""Tab 1: which images, how many of them, and a report of what they give before anything is trained."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd
from PIL import Image

from ..contracts.cards import DataReport
from ..contracts.errors import BadValue
from ..contracts.service import Service
from ..contracts.specs import DataSpec
from . import collect, text
from .toasts import QUEUED, UNQUEUED, speaking

SOURCES = {
    "bundled": "Bundled",
    "draft": "Collect",
    "upload": "Zip file",
    "folder": "Folder",
    "hub": "Hub dataset",
}
THUMBNAILS = 40
PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""

NOTHING = "Choose a dataset to see its classes, its pictures and how they would be split."
ZIP = "A zip with one folder per class, optionally under `train/`, `val/` and `test/`."
COLLECT = (
    "Name each class, then drop, paste or photograph a few images of it: five of each are a start. "
    "They stay on the machine that runs this app and survive a reload."
)


@dataclass(frozen=True)
class DataTab:
    tab: gr.Tab
    source: gr.Radio
    bundled: gr.Dropdown
    about: gr.Markdown
    upload: gr.File
    key: gr.State
    folder: gr.Textbox
    hub: gr.Textbox
    columns: gr.Row
    image_column: gr.Dropdown
    label_column: gr.Dropdown
    shots: gr.Slider
    seed: gr.Number
    check: gr.Button
    report: gr.Markdown
    gallery: gr.Gallery
    counts: gr.Dataframe
    rejected: gr.Dataframe
    rejects: gr.Accordion
    checked: gr.State
    """(source, name, number of classes, problem) of the last report, or None."""
    client: gr.BrowserState
    panels: dict[str, gr.Column]
    pool: collect.Pool

    @property
    def inputs(self) -> set:
        """Everything `spec` reads."""
        named = {
            self.source,
            self.bundled,
            self.key,
            self.folder,
            self.hub,
            self.image_column,
            self.label_column,
        }
        return named | {self.shots, self.seed, self.client, self.checked, self.pool.stamp}

    def spec(self, given: Mapping[Any, Any]) -> DataSpec:
        """The dataset the tab describes; `BadValue` if it describes none."""
        source, hub = given[self.source], given[self.source] == "hub"
        names = {"bundled": self.bundled, "draft": self.client, "upload": self.key}
        name = given[names.get(source, self.hub if hub else self.folder)]
        if not name:
            raise BadValue(
                f"no data has been chosen under {SOURCES.get(source, source)}.",
                MISSING.get(source, ""),
            )
        columns = {
            n: given[getattr(self, n)] or "" for n in ("image_column", "label_column") if hub
        }
        return DataSpec(
            source, name.strip(), _whole(given[self.shots]), _whole(given[self.seed]), **columns
        )


MISSING = {
    "upload": "Drop a zip in the tab Data.",
    "folder": "Type the folder's path in the tab Data.",
    "hub": "Type a dataset id in the tab Data, for instance ylecun/mnist.",
}


def build(tab: gr.Tab, service: Service, client: gr.BrowserState) -> DataTab:
    """Draws the tab into the open context."""
    source = gr.Radio(
        [(SOURCES[s], s) for s in offered(service)], value="bundled", label="Images from"
    )
    panels, parts = _panels(service)
    with gr.Row():
        with gr.Column(scale=3, min_width=240):
            shots = gr.Slider(1, 64, 16, step=1, label="Shots", info="training images per class")
        with gr.Column(scale=2, min_width=160):
            seed = gr.Number(0, label="Seed", precision=0, info="chooses images, weights and order")
        with gr.Column(scale=2, min_width=160):
            check = gr.Button("Check the data", variant="secondary", size="md")
    parts |= {"source": source, "shots": shots, "seed": seed, "check": check, **_report()}
    return DataTab(
        tab=tab, client=client, panels=panels, checked=gr.State(None), key=gr.State(""), **parts
    )


def offered(service: Service) -> list[str]:
    """Sources this service can use: no Hub when offline, folders only where they are allowed."""
    hidden = {"hub"} if service.offline else set()
    return [s for s in SOURCES if s not in hidden and (s != "folder" or service.allow_local_paths)]


def _panels(service: Service):
    parts = {}
    panels = {}
    sets = service.data.datasets()
    with gr.Column(visible=True) as panels["bundled"]:
        choices = [(d.title, d.name) for d in sets]
        parts["bundled"] = gr.Dropdown(
            choices, value=sets[0].name if sets else None, label="Dataset", filterable=False
        )
        parts["about"] = gr.Markdown(
            about(service, sets[0].name) if sets else "", elem_classes="quiet"
        )
    with gr.Column(visible=False) as panels["draft"]:
        gr.Markdown(COLLECT, elem_classes="quiet")
        parts["pool"] = collect.build()
    with gr.Column(visible=False) as panels["upload"]:
        parts["upload"] = gr.File(file_types=[".zip"], label="Zip of class folders", height=140)
        gr.Markdown(ZIP, elem_classes="quiet")
    with gr.Column(visible=False) as panels["folder"]:
        parts["folder"] = gr.Textbox(
            label="Folder on the machine that runs this app", info="one sub-folder per class"
        )
    with gr.Column(visible=False) as panels["hub"]:
        parts |= _hub()
    return panels, parts


def _hub() -> dict:
    hub = gr.Textbox(label="Dataset id on the Hugging Face Hub", placeholder="owner/name")
    with gr.Row(visible=False) as columns:
        image = gr.Dropdown([], value=None, label="Column with the image", allow_custom_value=True)
        label = gr.Dropdown([], value=None, label="Column with the class", allow_custom_value=True)
    return {"hub": hub, "columns": columns, "image_column": image, "label_column": label}


def _report() -> dict:
    report = gr.Markdown(NOTHING)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            gallery = gr.Gallery(
                label="Previews", columns=6, height=330, object_fit="contain", interactive=False, format="png",
                allow_preview=False, buttons=[], fit_columns=False, elem_id="previews",
            )  # fmt: skip
        with gr.Column(scale=2, min_width=300):
            counts = gr.Dataframe(
                headers=COUNTS, label="Split", interactive=False, max_height=330, elem_id="counts",
                column_widths=["28%", "18%", "18%", "18%", "18%"],
            )  # fmt: skip
    with gr.Accordion("Left out", open=False, visible=False) as rejects:
        rejected = gr.Dataframe(
            headers=["File", "Reason"], interactive=False, max_height=260, wrap=True
        )
    return {
        "report": report,
        "gallery": gallery,
        "counts": counts,
        "rejected": rejected,
        "rejects": rejects,
    }


COUNTS = ["Class", "Found", "Train", "Val", "Test"]


def wire(demo: gr.Blocks, service: Service, tab: DataTab) -> None:
    """Connects the tab's events."""
    check = _checker(service, tab)
    shown = [tab.report, tab.gallery, tab.counts, tab.rejected, tab.rejects, tab.checked]
    shown += [tab.columns, tab.image_column, tab.label_column]
    how = {"inputs": tab.inputs, "outputs": shown, "concurrency_id": "data", "concurrency_limit": 2}
    how |= {
        "api_visibility": "private",
        "trigger_mode": "always_last",
        "show_progress_on": [tab.report],
    }
    tab.check.click(check, **how)
    gr.on(
        [tab.shots.release, tab.seed.submit, tab.seed.blur, tab.bundled.input],
        _if_cheap(check, tab),
        **how,
    )
    tab.bundled.input(lambda name: about(service, name), tab.bundled, tab.about, **UNQUEUED)
    tab.source.change(_panel, tab.source, list(tab.panels.values()), **UNQUEUED).then(
        _if_cheap(check, tab), **how
    )
    _wire_upload(service, tab).success(check, **how)
    tab.pool.stamp.change(_if_cheap(check, tab), **how)
    tab.tab.select(_at_first(check, tab), **how)
    collect.wire(demo, service, tab.pool, tab.client)


def _wire_upload(service: Service, tab: DataTab):
    def keep(file: str) -> str:
        return service.data.keep_upload(Path(file))

    return tab.upload.upload(speaking(keep), tab.upload, tab.key, **QUEUED)


def _panel(source: str) -> list:
    return [gr.Column(visible=s == source) for s in SOURCES]


def _checker(service: Service, tab: DataTab):
    def check(given, progress=PROGRESS):
        spec = tab.spec(given)
        report = service.data.check(
            spec, lambda what, done: progress(done if done >= 0 else None, desc=what)
        )
        return shown(tab, spec, report)

    return speaking(check)


def _if_cheap(check, tab: DataTab):
    """The check where it takes no time and there is something to look at; else an empty report."""

    def again(given, progress=PROGRESS):
        there = {
            "bundled": given[tab.bundled],
            "upload": given[tab.key],
            "draft": given[tab.pool.stamp],
        }
        return check(given, progress) if there.get(given[tab.source]) else cleared(tab)

    return again


def _at_first(check, tab: DataTab):
    """The check when the tab is opened for the first time: a page that loads has enough to do."""
    cheap = _if_cheap(check, tab)

    def opened(given, progress=PROGRESS):
        return {tab.report: gr.skip()} if given[tab.checked] else cheap(given, progress)

    return opened


def cleared(tab: DataTab) -> dict:
    """Updates that empty the report."""
    nothing = {
        tab.gallery: [],
        tab.counts: pd.DataFrame(columns=COUNTS),
        tab.rejects: gr.Accordion(visible=False),
    }
    return {tab.report: NOTHING, tab.checked: None, tab.columns: gr.Row(visible=False), **nothing}


def shown(tab: DataTab, spec: DataSpec, report: DataReport) -> dict:
    """The report as updates of the tab's components."""
    found = {tab.report: summary(report), tab.gallery: previews(report), tab.counts: counts(report)}
    found[tab.rejected] = pd.DataFrame(report.rejected, columns=["File", "Reason"])
    found[tab.rejects] = gr.Accordion(
        f"Left out: {len(report.rejected)}", visible=bool(report.rejected)
    )
    found[tab.checked] = (spec.source, spec.name, len(report.counts), report.problem)
    found[tab.columns] = gr.Row(visible=bool(report.columns))
    found[tab.image_column] = gr.Dropdown(list(report.columns), value=report.image_column or None)
    found[tab.label_column] = gr.Dropdown(list(report.columns), value=report.label_column or None)
    return found


def summary(report: DataReport) -> str:
    """Markdown: what the dataset gives, what is wrong with it, and notices."""
    total = {
        n: sum(getattr(c, n) for c in report.counts) for n in ("found", "train", "val", "test")
    }
    test = (
        f"{text.count(total['test'])} to test"
        if total["test"]
        else "none to test (accuracy will not be measured)"
    )
    head = f"**{text.plain(report.title)}**: {text.plural(len(report.counts), 'class')}, "
    head += f"{text.plural(total['found'], 'image')}; {text.count(total['train'])} to train, "
    head += f"{text.count(total['val'])} to validate, {test}."
    problem = (
        f"\n\n**Cannot be trained on yet:** {text.plain(report.problem)}" if report.problem else ""
    )
    return f"{head}{problem}\n\n{text.bullets(report.notices)}"


def counts(report: DataReport) -> pd.DataFrame:
    """One row per class."""
    return pd.DataFrame(
        [(c.name, c.found, c.train, c.val, c.test) for c in report.counts], columns=COUNTS
    )


def previews(report: DataReport) -> list[tuple[Image.Image, str]]:
    """(thumbnail, class), the same number of every class, at most `THUMBNAILS` in all."""
    each = max(1, min(4, THUMBNAILS // max(1, len(report.counts))))
    found = [(p, c.name) for c in report.counts for p in c.previews[:each]]
    return [(Image.open(io.BytesIO(p)), name) for p, name in found[:THUMBNAILS]]


def about(service: Service, name: str) -> str:
    """A line under the chosen bundled dataset."""
    card = next((d for d in service.data.datasets() if d.name == name), None)
    return f"{text.plain(card.summary)} Licence: {text.plain(card.licence)}." if card else ""


def refill(tab: DataTab, spec: DataSpec, service: Service) -> dict:
    """Updates that show an earlier run's data; of uploads and drafts only shots and seed can be had back."""
    found = {tab.shots: spec.shots, tab.seed: spec.seed}
    if spec.source == "bundled" and spec.name in {d.name for d in service.data.datasets()}:
        found |= {tab.source: "bundled", tab.bundled: spec.name}
    return found


def _whole(value) -> int:
    if value is None or value != int(value):
        raise BadValue("shots and seed are whole numbers.", "The defaults are 16 and 0.")
    return int(value)
