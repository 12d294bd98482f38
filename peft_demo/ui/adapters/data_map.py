"""Map of its pictures: where an adapter's pictures lie in the frozen backbone and with the adapter,
drawn beside each other, with a table behind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from ...contracts.data_map import PCA, TEST, TRAINING, TSNE, DataMap
from ...contracts.errors import BadValue
from ...contracts.service import Answers
from .. import stat_tiles, text
from ..data.form import DataForm
from ..toasts import reporter, speaking
from ..wiring import QUEUED, UNQUEUED, Part, Updates, Values
from . import map_drawing

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
OPEN = "open"
CHOICES = [
    ("Its own test images", TEST),
    ("Its training images", TRAINING),
    ("The images chosen in Data", OPEN),
]
DRAWINGS = [("PCA", PCA), ("t-SNE", TSNE)]
WAIT = "**Looking at its pictures …**"
HEAD = ("Class", "Images", "Before", "After")
NEIGHBOURS_KEPT = (
    "t-SNE keeps near pictures near; sizes of groups and the room between them mean little."
)


class Drawn(NamedTuple):
    id: str
    """Of the adapter: the answer about another one may come late."""
    map: DataMap


@dataclass(frozen=True)
class MapPart:
    on: gr.Radio
    by: gr.Radio
    button: gr.Button
    drawn: gr.State
    """The `Drawn` that came last, None before."""
    results: gr.Column
    sentence: gr.Markdown
    panes: gr.HTML
    table: gr.HTML

    @property
    def outputs(self) -> list[Part]:
        """Everything that `show` and `hide` may change."""
        return [self.drawn, self.results, self.sentence, self.panes, self.table]

    def show(self, drawn: DataMap) -> Updates:
        """Updates that show a map."""
        return {
            self.results: gr.Column(visible=True),
            self.sentence: sentence(drawn),
            self.panes: map_drawing.draw(drawn),
            self.table: table(drawn),
        }

    def wait(self) -> Updates:
        """Updates that say that it is being drawn."""
        return {
            self.results: gr.Column(visible=True),
            self.sentence: WAIT,
            self.panes: "",
            self.table: "",
        }

    def hide(self) -> Updates:
        """Updates that show no map."""
        return {self.drawn: None, self.results: gr.Column(visible=False), self.panes: ""}


def build() -> MapPart:
    """Draws this part into the open context."""
    with gr.Accordion("Map of its pictures", open=False, elem_id="data-map"):
        with gr.Row(equal_height=True):
            on = gr.Radio(
                CHOICES, value=TEST, show_label=False, label="Of", container=False, scale=3
            )
            by = gr.Radio(
                DRAWINGS, value=PCA, show_label=False, label="Drawn by", container=False, scale=1
            )
            button = gr.Button("Draw", variant="primary", size="md", scale=0, elem_id="draw-map")
        with gr.Column(visible=False) as results:
            words = gr.Markdown("", elem_id="map-sentence")
            panes = map_drawing.build()
            with gr.Accordion("As a table", open=False, elem_id="map-fold"):
                figures = gr.HTML("", padding=False, elem_id="map-table")
    return MapPart(on, by, button, gr.State(None), results, words, panes, figures)


def connect(part: MapPart, chosen: gr.State, form: DataForm, answers: Answers) -> None:
    """Connects the events; another adapter takes the map away."""
    pressed = part.button.click(speaking(part.wait), None, part.outputs, **UNQUEUED)
    made = pressed.then(
        mapper(part, chosen, form, answers),
        {chosen, part.on, part.by, *form.inputs},
        part.drawn,
        api_visibility="private",
        show_progress_on=[part.sentence],
        concurrency_id="map",
        concurrency_limit=1,
    )
    made.failure(speaking(part.hide), None, part.outputs, **UNQUEUED)
    made.success(shower(part), [chosen, part.drawn], part.outputs, **QUEUED)
    chosen.change(speaking(part.hide), None, part.outputs, **UNQUEUED)


def mapper(
    part: MapPart, chosen: gr.State, form: DataForm, answers: Answers
) -> Callable[..., Drawn]:
    """The handler that maps the pictures of the chosen adapter."""

    @speaking
    def draw(values: Values, progress: gr.Progress = PROGRESS) -> Drawn:
        id = values[chosen]
        if not id:
            raise BadValue("no adapter is chosen.", "Choose a row of the table.")
        on = values[part.on]
        data, images = (form.spec(values), TEST) if on == OPEN else (None, on)
        drawn = answers.map(id, data, images, values[part.by], reporter(progress))
        return Drawn(id, drawn)

    return draw


def shower(part: MapPart) -> Callable[[str, Drawn | None], Updates | Any]:
    """The handler that shows what was drawn, unless another adapter is looked at meanwhile."""

    @speaking
    def show(id: str, drawn: Drawn | None) -> Updates | Any:
        if drawn is None or drawn.id != id:
            return gr.skip()
        return part.show(drawn.map)

    return show


def sentence(drawn: DataMap) -> str:
    """Markdown: how often neighbours agree, and what the drawing shows of that."""
    shown = len(drawn.pictures)
    words = [f"Ringed: {text.plural(drawn.mistakes, 'mistake')}."]
    if shown < drawn.out_of:
        chosen = f"{text.count(shown)} of {text.count(drawn.out_of)} pictures are drawn"
        words.insert(0, f"{chosen}, equally many of each class.")
    words.append(_kept(drawn))
    return "\n\n".join([f"**{drawn.in_words()}**", " ".join(words)])


def table(drawn: DataMap) -> str:
    """HTML: for each class, how many pictures lie next to one of their class."""
    rows = [(entry.name, entry.images, entry.before, entry.after) for entry in drawn.neighbours()]
    _, *counts = zip(*rows, strict=True)
    caption = "Pictures whose nearest neighbour (by cosine of all features) is of their class"
    return stat_tiles.table(HEAD, [*rows, ("All", *map(sum, counts))], caption)


def _kept(drawn: DataMap) -> str:
    """How much of the features a drawing on a plane shows."""
    if drawn.drawing == TSNE:
        return NEIGHBOURS_KEPT
    before, after = text.share(drawn.kept_before), text.share(drawn.kept_after)
    return f"A plane keeps {before} of the features' variance before, {after} after."
