"""The tab Classify: drop an image, see which class it is; switch the adapter, see the answer
change.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from ...contracts import service
from ...contracts.errors import BadValue, CannotMerge
from .. import address, text
from ..gallery import gallery
from ..page import Page
from ..toasts import speaking
from ..wiring import ON_DEVICE, QUEUED, UNQUEUED, Part, Updates
from . import answers, ask_all, correct
from .answers import MOST, TOP, Answers
from .example import example, first_adapter, samples
from .usable import usable

EMPTY = "No adapter to ask yet: train one in **Train**, or add a file in **Adapters**."
CAMERA = {"video": {"width": 640, "height": 480}}
READY = "Drop, paste or photograph an image, or choose one of the pictures below."


@dataclass(frozen=True)
class Question:
    """Which adapters are asked about which image."""

    adapter: gr.Dropdown
    compare: gr.Dropdown
    image: gr.Image
    samples: gr.Gallery


@dataclass(frozen=True)
class ClassifyTab:
    question: Question
    hint: gr.Markdown
    """Stands where no answer does."""
    answers: Answers
    every: gr.Button
    every_answer: gr.Dataframe
    merge: gr.Button
    teach: gr.Button
    """Leads to the class cards of Data."""

    @property
    def shown(self) -> list[Part]:
        return [self.hint, *self.answers.parts]

    def show(self, updates: Updates) -> Updates:
        """`updates` of the answers, which take the place of the hint."""
        return {self.hint: gr.Markdown(visible=False), **updates}

    def wait(self, hint: str) -> Updates:
        """Updates that show the hint in place of answers."""
        return {self.hint: gr.Markdown(hint, visible=True), **self.answers.hide()}


def build(
    page: Page,
    tab: gr.Tab,
    zoo: service.Zoo,
    asked: service.Answers,
    data: service.Data,
) -> ClassifyTab:
    """Draws the tab into the open context and connects its events.

    Its adapter is chosen already, as a choice that is made later sets off events.
    """
    ids = usable(zoo)
    chosen = first_adapter(zoo) or next(iter(ids), None)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            image = _image()
        with gr.Column(scale=3, min_width=300):
            with gr.Row():
                adapter, compare = _adapters(ids, chosen)
            hint = gr.Markdown(READY)
            with gr.Row():
                places = answers.build()
            with gr.Row():
                teach = gr.Button("Teach your own", variant="primary", size="md", elem_id="teach")
                every = gr.Button("Ask every adapter", size="md", elem_id="ask-every")
                merge = gr.Button("Compare with merged", size="md", elem_id="answer-merged")
            table = ask_all.build()
            correction = correct.build()
    pictures = gallery("Or try one of these", "samples", columns=10, height=160, visible=False)
    question = Question(adapter, compare, image, pictures)
    classify_tab = ClassifyTab(question, hint, places, every, table, merge, teach)
    _connect(page, tab, classify_tab, Asker(classify_tab, zoo, asked, opened_with=(ids, chosen)))
    ask_all.connect(every, image, table, adapter, zoo, asked)
    correct.connect(page, tab, correction, image, data)
    return classify_tab


def _adapters(ids: list[str], chosen: str | None) -> tuple[gr.Dropdown, gr.Dropdown]:
    adapter = gr.Dropdown(ids, value=chosen, label="Adapter", elem_id="adapter")
    compare = gr.Dropdown(
        ids,
        value=[],
        multiselect=True,
        max_choices=MOST - 1,
        label="Compare with up to three more",
        elem_id="compare-adapters",
    )
    return adapter, compare


def _image() -> gr.Image:
    image = gr.Image(
        type="filepath",
        format="png",
        sources=["upload", "webcam", "clipboard"],
        height=380,
        label="Image",
        buttons=[],
        webcam_options=gr.WebcamOptions(mirror=False, constraints=CAMERA),
        elem_id="image",
    )
    image.preprocess = _path
    return image


def _path(payload: Any) -> str | None:
    """What a handler is given of the image: the file it came in.

    `gr.Image` opens it first, even for "filepath", and a broken one would end in a bare "Error"
    before the service can say what is wrong. (A subclass of a component makes Gradio write a `.pyi`
    beside it; hence the attribute.)
    """
    return payload.path if payload else None


def _connect(page: Page, tab: gr.Tab, classify_tab: ClassifyTab, asker: "Asker") -> None:
    question = classify_tab.question
    image = question.image
    adapter = question.adapter
    lists = [adapter, question.compare]
    inputs = [image, *lists]
    shown = classify_tab.shown
    page.blocks.load(asker.open, None, [*inputs, question.samples, *shown], **ON_DEVICE)
    gr.on([tab.select, page.zoo_changed.change], asker.list, lists, lists, **UNQUEUED)
    gr.on(
        [image.upload, image.input, image.clear, adapter.change, question.compare.input],
        asker.ask,
        inputs,
        shown,
        trigger_mode="always_last",
        **ON_DEVICE,
    )
    address.name_adapter(adapter)
    adapter.change(asker.show_samples, adapter, question.samples, **QUEUED)
    taken = question.samples.select(asker.take_sample, adapter, image, **QUEUED)
    taken.then(asker.ask, inputs, shown, **ON_DEVICE)
    classify_tab.merge.click(asker.ask_merged, [image, adapter], shown, **ON_DEVICE)


class Asker:
    """The tab's handlers. `opened_with` are the adapters that the page was built with, and the one
    chosen.
    """

    def __init__(
        self,
        tab: ClassifyTab,
        zoo: service.Zoo,
        answers: service.Answers,
        opened_with: tuple[list[str], str | None],
    ):
        self._tab = tab
        self._question = tab.question
        self._zoo = zoo
        self._answers = answers
        self._opened_with = opened_with
        self.open = speaking(self._open)
        self.list = speaking(self._list)
        self.ask = speaking(self._ask)
        self.ask_merged = speaking(self._ask_merged)
        self.show_samples = speaking(self._show_samples)
        self.take_sample = speaking(self._take_sample)

    def _open(self, request: gr.Request) -> Updates:
        """What a page shows before anything was done on it: an adapter, a picture that it was not
        trained on, and its answer.
        """
        ids = usable(self._zoo)
        asked = address.asked(request, "adapter")
        shown = example(self._zoo, self._answers, asked)
        chosen = shown.prediction.adapter if shown else next(iter(ids), None)
        if asked in ids and asked != chosen:
            return {self._question.adapter: gr.Dropdown(ids, value=asked)}
        updates: Updates = {}
        if (ids, chosen) != self._opened_with:
            updates[self._question.adapter] = gr.Dropdown(ids, value=chosen)
            updates[self._question.compare] = gr.Dropdown(ids)
        if shown is None:
            return {**updates, **self._tab.wait(READY if ids else EMPTY)}
        updates[self._question.image] = _picture(shown.picture)
        updates[self._question.samples] = self._gallery(chosen)
        answer = self._tab.answers.show_first(shown.prediction)
        return {**updates, **self._tab.show(answer)}

    def _list(self, adapter: str | None, compare: list[str] | None) -> Any:
        ids = usable(self._zoo)
        if adapter not in ids:
            adapter = next(iter(ids), None)
        kept = [id for id in compare or [] if id in ids and id != adapter]
        return gr.Dropdown(ids, value=adapter), gr.Dropdown(ids, value=kept)

    def _ask(self, image: str | None, adapter: str | None, compare: list[str] | None) -> Updates:
        ids = [id for id in [adapter, *(compare or [])] if id]
        ids = list(dict.fromkeys(ids))[:MOST]
        if not image or not ids:
            return self._tab.wait(READY if ids else EMPTY)
        predictions = self._answers.classify(Path(image), ids, TOP)
        return self._tab.show(self._tab.answers.show(predictions))

    def _ask_merged(self, image: str | None, adapter: str | None) -> Updates:
        if not image or not adapter:
            raise BadValue("an image and an adapter are needed.", "Drop an image first.")
        try:
            both = self._answers.side_by_side(Path(image), adapter, TOP)
        except CannotMerge as reason:
            words = text.plain(text.sentence(str(reason)))
            return {self._tab.hint: gr.Markdown(words, visible=True)}
        return self._tab.show(self._tab.answers.show_merged(both))

    def _show_samples(self, adapter: str | None) -> gr.Gallery:
        return self._gallery(adapter)

    def _take_sample(self, adapter: str, event: gr.SelectData) -> Image.Image:
        return self._pictures(adapter)[event.index]

    def _gallery(self, adapter: str | None) -> gr.Gallery:
        pictures = self._pictures(adapter) if adapter else []
        return gr.Gallery(pictures, visible=bool(pictures), selected_index=None)

    def _pictures(self, adapter: str) -> list[Image.Image]:
        return [_picture(picture) for _, picture in samples(self._zoo, adapter)]


def _picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))
