"""The tab Classify: drop an image, see which class it is; switch the adapter, see the answer
change.
"""

from typing import Any

import gradio as gr

from ...contracts import service
from .. import address
from ..page import Page
from ..wiring import ON_DEVICE, QUEUED, UNQUEUED
from . import answers, ask_all, correct, samples
from .answers import MOST
from .asker import Asker
from .example import first_adapter
from .tab import ClassifyTab as ClassifyTab
from .tab import Question
from .usable import usable

CAMERA = {"video": {"width": 640, "height": 480}}
PLACEHOLDER = "# Now try a new photo\nDrop it here, or click to choose one"


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
            hint = gr.Markdown(samples.READY)
            with gr.Row():
                places = answers.build()
            with gr.Row():
                teach = gr.Button("Teach your own", variant="primary", size="md", elem_id="teach")
                every = gr.Button("Ask every adapter", size="md", elem_id="ask-every")
                merge = gr.Button("Compare with merged", size="md", elem_id="answer-merged")
            table = ask_all.build()
            correction = correct.build()
    question = Question(adapter, compare, image, samples.build(), gr.State(()), gr.State((0, None)))
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
        placeholder=PLACEHOLDER,
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


def _connect(page: Page, tab: gr.Tab, classify_tab: ClassifyTab, asker: Asker) -> None:
    question = classify_tab.question
    image = question.image
    adapter = question.adapter
    lists = [adapter, question.compare]
    inputs = [image, *lists]
    shown = classify_tab.shown
    opened = [*lists, *classify_tab.begun]
    page.blocks.load(asker.open, None, opened, **ON_DEVICE)
    gr.on([tab.select, page.zoo_changed.change], asker.list, lists, lists, **UNQUEUED)
    gr.on(
        [image.upload, question.compare.input],
        asker.ask,
        inputs,
        shown,
        trigger_mode="always_last",
        **ON_DEVICE,
    )
    # Gradio tells of an image that is taken away while it still has the old one.
    image.clear(asker.wait, adapter, [question.sample_of, *shown], **QUEUED)
    image.upload(_own, None, question.sample_of, **UNQUEUED)
    address.name_adapter(adapter)
    adapter.change(
        asker.swap,
        [*inputs, question.sample_of, question.replacement],
        [question.sample_of, question.replacement, *shown],
        trigger_mode="always_last",
        **ON_DEVICE,
    )
    # By a handler of its own: where one leaves an output as it is, Gradio makes the component anew,
    # and `_path` would be lost.
    question.replacement.change(asker.replace, question.replacement, image, **QUEUED)
    adapter.change(asker.show_samples, adapter, question.samples, **QUEUED)
    taken = question.samples.select(
        asker.take_sample, adapter, [image, question.sample_of], **QUEUED
    )
    taken.then(asker.ask, inputs, shown, **ON_DEVICE)
    classify_tab.merge.click(asker.ask_merged, [image, adapter], shown, **ON_DEVICE)


def _own() -> tuple[()]:
    """A person's own picture stands in the image."""
    return ()
