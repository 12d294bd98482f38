"""Tab 4: drop an image, see which class it is; switch the adapter, see the answer change."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from PIL import Image

from ..contracts.cards import Prediction
from ..contracts.errors import BadValue, CannotMerge
from ..contracts.service import Service
from . import answers, collect, session, text
from . import ask_all as every_adapter
from .answers import MOST, TOP, Answers
from .example import example, first, samples
from .toasts import QUEUED, UNQUEUED, speaking

EMPTY = "No adapter to ask yet: train one in **Train**, or add a file in **Adapters**."
READY = "Drop, paste or photograph an image, or choose one of the pictures below."


@dataclass(frozen=True)
class ClassifyTab:
    tab: gr.Tab
    image: gr.Image
    adapter: gr.Dropdown
    compare: gr.Dropdown
    hint: gr.Markdown
    samples: gr.Gallery
    answers: Answers
    merge: gr.Button
    every: gr.Button
    table: gr.Dataframe
    label: gr.Dropdown
    add: gr.Button

    @property
    def shown(self) -> list:
        return [self.hint, *self.answers.parts]

    def show(self, given: Sequence[Prediction]) -> dict:
        """Updates that show answers in place of the hint."""
        return {self.hint: gr.Markdown(visible=False), **self.answers.show(given)}

    def wait(self, hint: str) -> dict:
        """Updates that show the hint in place of answers."""
        return {self.hint: gr.Markdown(hint, visible=True), **self.answers.hide()}


def build(tab: gr.Tab, service: Service) -> ClassifyTab:
    """Draws the tab into the open context; its adapter is chosen already, as a choice made later sets off events."""
    ids = usable(service)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            adapter = gr.Dropdown(
                ids,
                value=first(service) or next(iter(ids), None),
                label="Adapter",
                elem_id="adapter",
            )
            compare = gr.Dropdown(
                ids, value=[], multiselect=True, max_choices=MOST - 1, label="Compare with up to three more",
                elem_id="compare-adapters",
            )  # fmt: skip
            image = gr.Image(
                type="filepath", format="png", sources=["upload", "webcam", "clipboard"], height=300, label="Image",
                elem_id="image", buttons=[],
                webcam_options=gr.WebcamOptions(constraints={"video": {"width": 640, "height": 480}}),
            )  # fmt: skip
        image.preprocess = _path
        with gr.Column(scale=3, min_width=300):
            hint = gr.Markdown(READY)
            with gr.Row():
                places = answers.build()
            with gr.Row():
                every = gr.Button("Ask every adapter", size="sm", elem_id="ask-every")
                merge = gr.Button("Compare with merged weights", size="sm", elem_id="answer-merged")
            table = every_adapter.build()
            label, add = _correction()
    gallery = gr.Gallery(
        label="Or try one of these", columns=10, height=160, object_fit="contain", interactive=False,
        allow_preview=False, buttons=[], visible=False, format="png", fit_columns=False, elem_id="samples",
    )  # fmt: skip
    return ClassifyTab(
        tab, image, adapter, compare, hint, gallery, places, merge, every, table, label, add
    )


def _path(payload) -> str | None:
    """What a handler is given of the image: the file it came in. `gr.Image` opens it first, even for "filepath", and a
    broken one would end in a bare "Error" before the service can say what is wrong. (A subclass of a component makes
    Gradio write a `.pyi` beside it at import; hence the attribute.)"""
    return payload.path if payload else None


def _correction():
    with gr.Accordion("Add this image to a class of your own", open=False):
        gr.Markdown(
            "It joins the class cards of **Data › Collect**, ready for the next training.",
            elem_classes="quiet",
        )
        label = gr.Dropdown([], value=None, label="Class", allow_custom_value=True)
        return label, gr.Button("Add to class", size="sm")


def wire(
    demo: gr.Blocks, service: Service, tab: ClassifyTab, stamp: gr.State, client: gr.BrowserState
):
    """Connects the tab's events; returns the event after which the class cards of Data must be drawn again."""
    heavy = QUEUED | {"concurrency_id": "gpu", "concurrency_limit": 1, "show_progress": "minimal"}
    ask = _asker(service, tab)
    asked = [tab.image, tab.adapter, tab.compare]
    lists = [tab.adapter, tab.compare]
    demo.load(_opener(service, tab), None, [*lists, tab.image, tab.samples, *tab.shown], **heavy)
    gr.on([tab.tab.select, stamp.change], _lister(service), lists, lists, **UNQUEUED)
    triggers = [
        tab.image.upload,
        tab.image.input,
        tab.image.clear,
        tab.adapter.change,
        tab.compare.input,
    ]
    gr.on(triggers, ask, asked, tab.shown, trigger_mode="always_last", **heavy)
    tab.adapter.change(_sampler(service), tab.adapter, tab.samples, **QUEUED)
    tab.samples.select(_taker(service), tab.adapter, tab.image, **QUEUED).then(
        ask, asked, tab.shown, **heavy
    )
    tab.merge.click(_merger(service, tab), [tab.image, tab.adapter], tab.shown, **heavy)
    every_adapter.wire(service, tab.every, tab.image, tab.table, tab.adapter)
    tab.tab.select(_classes(service), client, tab.label, **UNQUEUED)
    return tab.add.click(_adder(service), [client, tab.image, tab.label], None, **QUEUED)


def _lister(service: Service):
    def lists(adapter: str | None, compare: list):
        ids = usable(service)
        adapter = adapter if adapter in ids else next(iter(ids), None)
        kept = [c for c in compare or [] if c in ids and c != adapter]
        return gr.Dropdown(ids, value=adapter), gr.Dropdown(ids, value=kept)

    return speaking(lists)


def usable(service: Service) -> list[str]:
    """Ids of the adapters that can answer here, own ones first."""
    return [e.id for e in service.zoo.entries() if e.card is not None and not e.refusal]


def _asker(service: Service, tab: ClassifyTab):
    def ask(image: str | None, adapter: str | None, compare: list) -> dict:
        ids = list(dict.fromkeys(filter(None, [adapter, *(compare or [])])))[:MOST]
        if not image or not ids:
            return tab.wait(READY if ids else EMPTY)
        return tab.show(service.answers.classify(Path(image), ids, TOP))

    return speaking(ask)


def _opener(service: Service, tab: ClassifyTab):
    """What a page shows before anything was done on it: an adapter, a picture it was not trained on, its answer."""

    built = [id for _, id in tab.adapter.choices], tab.adapter.value

    def opened() -> dict:
        ids = usable(service)
        found = example(service)
        chosen = found.said.adapter if found else next(iter(ids), None)
        changed = (ids, chosen) != built
        lists = (
            {tab.adapter: gr.Dropdown(ids, value=chosen), tab.compare: gr.Dropdown(ids)}
            if changed
            else {}
        )
        if found is None:
            return lists | tab.wait(READY if ids else EMPTY)
        pictures = {
            tab.image: Image.open(io.BytesIO(found.picture)),
            tab.samples: _gallery(service, chosen),
        }
        return (
            {tab.hint: gr.Markdown(visible=False)}
            | tab.answers.first(found.said)
            | lists
            | pictures
        )

    return speaking(opened)


def _merger(service: Service, tab: ClassifyTab):
    def merged(image: str | None, adapter: str | None) -> dict:
        if not image or not adapter:
            raise BadValue("an image and an adapter are needed.", "Drop an image first.")
        try:
            said = service.answers.side_by_side(Path(image), adapter, TOP)
        except CannotMerge as why:
            return {tab.hint: gr.Markdown(text.plain(text.sentence(str(why))), visible=True)}
        return {tab.hint: gr.Markdown(visible=False), **tab.answers.show_merged(said)}

    return speaking(merged)


def _sampler(service: Service):
    return speaking(lambda adapter: _gallery(service, adapter))


def _gallery(service: Service, adapter: str | None) -> gr.Gallery:
    found = _pictures(service, adapter) if adapter else []
    return gr.Gallery(found, visible=bool(found), selected_index=None)


def _taker(service: Service):
    def take(adapter: str, event: gr.SelectData) -> Image.Image:
        return _pictures(service, adapter)[event.index]

    return speaking(take)


def _pictures(service: Service, adapter: str) -> list[Image.Image]:
    return [Image.open(io.BytesIO(picture)) for _, picture in samples(service, adapter)]


def _classes(service: Service):
    def classes(client: str):
        return gr.Dropdown(list(service.data.drafts.classes(session.known(client))))

    return speaking(classes)


def _adder(service: Service):
    def add(client: str, image: str | None, label: str | None) -> None:
        label = " ".join((label or "").split())
        if not image or not label:
            raise BadValue(
                "an image and the name of a class are needed.",
                "Drop an image and type or choose a class.",
            )
        known = service.data.drafts.classes(client)
        if label not in known and len(known) >= collect.MOST:
            raise BadValue(
                f"this page collects at most {collect.MOST} classes.",
                "Remove one in the tab Data first.",
            )
        kept = [service.data.drafts.image(client, key) for key in known.get(label, ())]
        service.data.drafts.put(client, label, [*kept, Path(image)])
        gr.Info(f"Added: {text.plural(len(kept) + 1, 'image')} of it now under Data, Collect.")

    return speaking(add)
