"""Tab 2: choose a method, see what it costs, train, watch. The page shows journals and keeps no run itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from ..contracts.cards import Cost, MethodCard
from ..contracts.errors import PeftDemoError
from ..contracts.knobs import build as build_config
from ..contracts.knobs import knobs
from ..contracts.service import Service
from ..contracts.specs import DataSpec, Recipe, RunSpec
from . import data as data_tab
from . import forms, guide, text, watch
from .header import Header
from .toasts import UNQUEUED, speaking

IN_THE_OPEN = 5
"""Most knobs a person sees before opening Advanced, those of the recipe included."""


@dataclass(frozen=True)
class TrainTab:
    tab: gr.Tab
    method: gr.Dropdown
    drawn: gr.State
    """The method whose form is open."""
    about: gr.Markdown
    groups: dict[str, tuple[gr.Column, gr.Column]]
    """method → (its knobs in the open, its knobs under Advanced)"""
    forms: dict[str, forms.Form]
    recipe: forms.Form
    size: gr.Number
    name: gr.Textbox
    thumbnail: gr.Checkbox
    data_line: gr.Markdown
    cost_line: gr.Markdown
    command: gr.Code
    start: gr.Button
    stop: gr.Button
    watch: watch.Watch
    header: Header
    data: data_tab.DataTab

    @property
    def widgets(self) -> list[Component]:
        """Everything of this tab that `spec` reads."""
        own = [w for form in self.forms.values() for w in form.widgets]
        return [self.method, *own, *self.recipe.widgets, self.size, self.name, self.thumbnail]

    @property
    def inputs(self) -> set:
        return {*self.widgets, self.header.backbone, *self.data.inputs}

    def spec(self, given: Mapping[Any, Any]) -> RunSpec:
        """The run the page describes, every value checked."""
        method = given[self.method]
        return RunSpec(
            method=method,
            knobs=self.forms[method].changed(given),
            data=self.data.spec(given),
            backbone=given[self.header.backbone] or "",
            size=int(given[self.size] or 0),
            recipe=build_config(Recipe, self.recipe.values(given)),
            name=(given[self.name] or "").strip(),
            thumbnail=bool(given[self.thumbnail]),
        )


def build(tab: gr.Tab, service: Service, header: Header, data: data_tab.DataTab) -> TrainTab:
    """Draws the tab into the open context."""
    first = _first(service.training.methods())
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            parts = _form(service.training.methods(), first)
        with gr.Column(scale=3, min_width=320):
            seen = watch.build(sketch(first))
    return TrainTab(
        tab=tab, drawn=gr.State(first.name), header=header, data=data, watch=seen, **parts
    )


def _form(methods, first: MethodCard) -> dict:
    data_line = gr.Markdown("", elem_classes="quiet")
    method = gr.Dropdown(
        [(m.title, m.name) for m in methods], value=first.name, label="Method", filterable=True
    )
    about = gr.Markdown(describe(first), elem_classes="quiet")
    basic, more = forms.split(knobs(Recipe), 2)
    parts = {m.name: forms.split(m.knobs, IN_THE_OPEN - len(basic)) for m in methods}
    opened = {name: _group(plain, name == first.name) for name, (plain, _) in parts.items()}
    with gr.Row():
        recipe = forms.draw(basic)
    buttons = _buttons()
    with gr.Accordion("Advanced", open=False):
        folded = {name: _group(rare, name == first.name) for name, (_, rare) in parts.items()}
        recipe = forms.joined(recipe, forms.draw(more))
        rest = _rest()
    command = _command()
    groups = {m.name: (opened[m.name][0], folded[m.name][0]) for m in methods}
    every = {m.name: forms.joined(opened[m.name][1], folded[m.name][1]) for m in methods}
    found = {
        "method": method,
        "about": about,
        "groups": groups,
        "forms": every,
        "recipe": recipe,
        **rest,
    }
    return found | {"data_line": data_line, "command": command, **buttons}


def _first(methods) -> MethodCard:
    """What a stranger starts with: LoRA where there is one."""
    return next((m for m in methods if m.name == "lora"), methods[0])


def _group(of, visible: bool):
    with gr.Column(visible=visible) as column:
        return column, forms.draw(of)


def _rest() -> dict:
    size = gr.Number(0, label="Image size", info="pixels; 0 takes the backbone's own", precision=0)
    name = gr.Textbox(
        "", label="Name of the adapter", info="empty: method, dataset and seed", max_length=60
    )
    thumbnail = gr.Checkbox(
        False, label="Keep a small picture of one training image in the adapter file"
    )
    return {"size": size, "name": name, "thumbnail": thumbnail}


def _buttons() -> dict:
    cost = gr.Markdown("", elem_id="cost")
    with gr.Row():
        start = gr.Button("Start training", variant="primary", elem_id="start")
        stop = gr.Button(
            "Stop, keep the best", variant="secondary", interactive=False, elem_id="stop"
        )
    return {"cost_line": cost, "start": start, "stop": stop}


def _command() -> gr.Code:
    with gr.Accordion("The same from the command line", open=False):
        return gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
        )


def describe(card: MethodCard) -> str:
    """Markdown: one line on a method and its formula; papers stand under Help."""
    merges = "merges into the backbone" if card.merges else "stays beside the backbone"
    return f"{text.plain(text.sentence(card.summary))}<br>`{card.formula}` · {merges}"


def sketch(card: MethodCard) -> str:
    """A drawing of where a method stands in a block, as SVG."""
    return guide.svg(guide.lit(card.sites))


def wire(demo: gr.Blocks, service: Service, tab: TrainTab) -> None:
    """Connects the form; `watch.wire` connects what is watched."""
    shown = [
        tab.about,
        tab.watch.sketch,
        tab.drawn,
        *(column for pair in tab.groups.values() for column in pair),
    ]
    tab.method.change(_chooser(service, tab), [tab.method, tab.drawn], shown, **UNQUEUED)
    asked = [*tab.widgets, tab.header.backbone, tab.data.checked, tab.data.shots, tab.data.seed]
    asked += [tab.data.source, tab.data.pool.stamp]
    lines = [tab.data_line, tab.cost_line, tab.command]
    estimate = _estimator(service, tab)
    triggers = [tab.tab.select, *(w.change for w in asked)]
    gr.on(triggers, estimate, tab.inputs, lines, trigger_mode="always_last", **UNQUEUED)
    watch.wire(demo, service, tab)


def _chooser(service: Service, tab: TrainTab):
    def choose(name: str, before: str) -> dict:
        card = next(m for m in service.training.methods() if m.name == name)
        found: dict = {tab.about: describe(card), tab.watch.sketch: sketch(card), tab.drawn: name}
        for method, visible in ((before, False), (name, True)):
            found |= {column: gr.Column(visible=visible) for column in tab.groups[method]}
        return found

    return speaking(choose)


def _estimator(service: Service, tab: TrainTab):
    def estimate(given):
        try:
            run = tab.spec(given)
            classes = class_count(service, run.data, given[tab.data.checked])
            return (
                data_line(service, run.data, classes),
                cost_line(service.training.cost(run, classes or 10), classes),
                run.command(),
            )
        except PeftDemoError as error:
            return text.plain(text.sentence(str(error))), "", ""

    return speaking(estimate)


def class_count(service: Service, data: DataSpec, checked) -> int:
    """How many classes the dataset has as far as anybody knows; 0 if it has not been looked at."""
    if data.source == "bundled":
        return next((len(d.classes) for d in service.data.datasets() if d.name == data.name), 0)
    if data.source == "draft":
        return len(service.data.drafts.classes(data.name))
    return checked[2] if checked and tuple(checked[:2]) == (data.source, data.name) else 0


def data_line(service: Service, data: DataSpec, classes: int) -> str:
    """Markdown: what will be trained on, and where to change it."""
    titles = {d.name: d.title for d in service.data.datasets()} if data.source == "bundled" else {}
    given = {"draft": "your own classes", "upload": "your zip"}.get(data.source, data.name)
    found = (
        text.plural(classes, "class")
        if classes
        else "classes not counted yet (press Check in Data)"
    )
    shots = text.plural(data.shots, "shot")
    return f"**{text.plain(titles.get(data.name, given))}** · {found} · {shots} per class · seed {data.seed}"


def cost_line(cost: Cost, classes: int) -> str:
    """Markdown: what the run would train, store and do."""
    budget = "about " if cost.budget else ""
    assumed = "" if classes else " (assuming 10 classes)"
    return (
        f"**{budget}{text.count(cost.trainable)}** trainable parameters, {text.share(cost.share)} of the backbone, "
        f"and {text.count(cost.head)} in the head. File {text.size(cost.file_bytes)}, "
        f"{text.plural(cost.steps, 'step')}{assumed}."
    )


def refill(tab: TrainTab, service: Service, run: RunSpec) -> dict:
    """Updates that make the form describe an earlier run."""
    known = {m.name for m in service.training.methods()}
    found: dict = data_tab.refill(tab.data, run.data, service)
    if run.method in known:
        found |= {tab.method: run.method, **tab.forms[run.method].refill(run.knobs)}
    if run.backbone in {b.name for b in service.zoo.backbones()}:
        found[tab.header.backbone] = run.backbone
    recipe = {k.name: getattr(run.recipe, k.name) for k in knobs(Recipe)}
    return found | tab.recipe.refill(recipe) | {tab.size: run.size, tab.name: ""}
