"""The tab Classify: drop an image, see which class it is; switch the adapter, see the answer
change.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from ...contracts import service
from .. import address
from ..page import Page
from ..wiring import BESIDE, ON_DEVICE, QUEUED, UNQUEUED
from . import answers, ask_all, chips, correct, inbox, live, many, samples, strength, why
from .answers import MOST
from .asker import Asker
from .chips import Chips
from .example import first_adapter
from .many import ManyAsker
from .shown import original
from .tab import ClassifyTab as ClassifyTab
from .tab import Question, Replacement
from .taker import Taker
from .usable import usable

CAMERA = {"video": {"width": 640, "height": 480}}
PLACEHOLDER = "# Try a photo\nDrop it here, or click to choose one"


def build(
    page: Page,
    tab: gr.Tab,
    zoo: service.Zoo,
    asked: service.Answers,
    data: service.Data,
    training: service.Training,
) -> ClassifyTab:
    """Draws the tab into the open context and connects its events.

    Its adapter is chosen already, as a choice that is made later sets off events.
    """
    ids = usable(zoo)
    chosen = first_adapter(zoo) or next(iter(ids), None)
    row = Chips(zoo, training)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            image = _image()
            camera = live.build_camera()
            with gr.Row(elem_id="bring"):
                bring = inbox.build()
                switch = live.build_switch()
        with gr.Column(scale=3, min_width=300, elem_id="answering"):
            nearest = chips.build(row.draw(chosen))
            with gr.Row():
                adapter, compare = _adapters(ids, chosen)
            hint = gr.Markdown(samples.READY, elem_id="hint")
            places = answers.build()
            with gr.Row(elem_id="actions"):
                teach = gr.Button("Teach your own", variant="primary", size="md", elem_id="teach")
                every = gr.Button("Ask every adapter", size="md", elem_id="ask-every")
                ask_why = gr.Button("Why?", size="md", elem_id="ask-why")
                merge = gr.Button("Compare with merged", size="md", elem_id="answer-merged")
            reasons = why.build()
            scaled = strength.build()
            lines = ask_all.build()
            correction = correct.build()
    several = many.build()
    question = Question(
        adapter, compare, image, samples.build(), gr.State(()), gr.State(Replacement())
    )
    classify_tab = ClassifyTab(
        question, bring, hint, places, every, merge, teach, correction.cards, several
    )
    asker = Asker(classify_tab, zoo, asked, opened_with=(ids, chosen))
    _connect(page, tab, classify_tab, asker)
    swapped = _connect_swap(classify_tab, asker)
    many_asker = ManyAsker(several, asked, data)
    taker = Taker(question, several, asker, many_asker, data)
    _connect_own(classify_tab, taker, many_asker, swapped)
    _connect_chips(page, tab, nearest, question, row, swapped)
    live.connect(live.Live(camera, switch), question, asker, classify_tab.shown)
    ask_all.connect(every, image, lines, adapter, zoo, asked)
    explaining = why.connect(ask_why, question, reasons, asked)
    # What was said of one picture goes when there is another.
    said = [lines, reasons, scaled.answer]
    image.change(_forget, None, said, cancels=[explaining], **UNQUEUED)
    strength.connect(scaled, question, asked)
    correct.connect(page, tab, correction, image, data)
    return replace(classify_tab, ask=asker.ask_chosen)


def _forget() -> tuple[gr.HTML, gr.HTML, str]:
    return gr.HTML(visible=False), gr.HTML(visible=False), ""


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
    return original(payload.path) if payload else None


def _connect(page: Page, tab: gr.Tab, classify_tab: ClassifyTab, asker: Asker) -> None:
    """The image and its adapters."""
    question = classify_tab.question
    image = question.image
    adapter = question.adapter
    lists = [adapter, question.compare]
    inputs = [image, *lists]
    shown = classify_tab.shown
    opened = [*lists, *classify_tab.begun]
    page.blocks.load(asker.open, None, opened, **ON_DEVICE)
    gr.on([tab.select, page.zoo_changed.change], asker.list, lists, lists, **UNQUEUED)
    question.compare.input(asker.ask, inputs, shown, trigger_mode="always_last", **ON_DEVICE)
    # Gradio tells of an image that is taken away while it still has the old one.
    image.clear(asker.wait, adapter, [question.sample_of, *shown], **QUEUED)
    address.name_adapter(adapter)
    # By a handler of its own: where one leaves an output as it is, Gradio makes the component anew,
    # and `_path` would be lost.
    question.replacement.change(asker.replace, question.replacement, image, **QUEUED)
    taken = question.samples.select(
        asker.take_sample, adapter, [image, question.sample_of], **QUEUED
    )
    taken.then(asker.ask, inputs, shown, **ON_DEVICE)
    classify_tab.merge.click(asker.ask_merged, [image, adapter], shown, **ON_DEVICE)


def _paths(files: Sequence[str]) -> tuple[Path, ...]:
    return tuple(map(Path, files))


def _connect_swap(classify_tab: ClassifyTab, asker: Asker) -> dict[str, Any]:
    """Another adapter answers. The event after which all else that depends on it may follow.

    What follows comes after the answer: beside it, it would take the answer twice as long.
    """
    question = classify_tab.question
    lists = [question.adapter, question.compare]
    swapped = question.adapter.change(
        asker.swap,
        [question.image, *lists, question.sample_of, question.replacement],
        [question.sample_of, question.replacement, *classify_tab.shown],
        trigger_mode="always_last",
        **ON_DEVICE,
    )
    swapped.then(asker.show_samples, question.adapter, question.samples, **QUEUED)
    return swapped


def _connect_chips(
    page: Page, tab: gr.Tab, nearest: gr.HTML, question: Question, row: Chips, swapped: Any
) -> None:
    lists = [question.adapter, question.compare]
    changed = [tab.select, page.zoo_changed.change, question.compare.change]
    gr.on(changed, row.show, lists, nearest, **UNQUEUED)
    swapped.then(row.show, lists, nearest, **UNQUEUED)
    nearest.select(None, None, question.adapter, js=chips.CHOOSE, **UNQUEUED)


def _connect_own(classify_tab: ClassifyTab, taker: Taker, asker: ManyAsker, swapped: Any) -> None:
    """Pictures that a person brings: one in the image, or many."""
    question = classify_tab.question
    many = classify_tab.many
    lists = [question.adapter, question.compare]
    answered = [*classify_tab.shown, question.replacement, question.sample_of]
    uploaded = question.image.upload(
        taker.take_uploaded,
        [question.image, *lists, question.replacement],
        answered,
        trigger_mode="always_last",
        **ON_DEVICE,
    )
    uploaded.failure(Replacement.emptied, question.replacement, question.replacement, **QUEUED)
    taken: list[dict[str, Any]] = []
    for button in (classify_tab.inbox.files, classify_tab.inbox.folder):
        # Noted first, so that another adapter, which breaks off what goes on, asks about them anew.
        noted = button.upload(_paths, button, many.sent, **UNQUEUED)
        asked = noted.then(
            taker.take,
            [button, *lists, question.replacement, many.order],
            [*answered, *many.parts],
            trigger_mode="always_last",
            **BESIDE,
        )
        asked.failure(tuple, None, many.sent, **UNQUEUED)
        taken.append(asked)
    again = swapped.then(
        asker.ask,
        [many.sent, question.adapter, many.order],
        many.parts,
        trigger_mode="always_last",
        cancels=taken,
        **BESIDE,
    )
    many.table.select(
        taker.choose, [many.sent, *lists, question.replacement], answered, **ON_DEVICE
    )
    many.order.input(asker.arrange, [many.answers, many.order], many.table, **UNQUEUED)
    many.close.click(
        many.hide,
        None,
        [many.panel, many.sent, many.answers],
        cancels=[*taken, again],
    )
