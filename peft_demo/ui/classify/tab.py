"""What the tab Classify is made of, and how it stands."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from ...contracts import service
from ..toasts import toast
from ..wiring import Part, Updates
from . import samples
from .answers import Answers
from .example import samples_of
from .inbox import Inbox
from .many import Many


def nothing_to_ask() -> gr.Error:
    """What is raised where an image or an adapter is missing; said as a hint, for nothing went
    wrong.
    """
    toast("info", "drop an image and choose an adapter first.")
    return gr.Error("nothing to ask", visible=False, print_exception=False)


@dataclass(frozen=True)
class Replacement:
    """What the image shall show."""

    number: int = 0
    """How many there were before."""
    picture: bytes | Path | None = None
    """A sample, a file that somebody has sent, or nothing."""

    def next(self, picture: bytes | Path | None) -> "Replacement":
        return Replacement(self.number + 1, picture)

    def emptied(self) -> "Replacement":
        """The image is to be empty: what stands in it could not be read."""
        return self.next(None)

    def shown(self) -> Image.Image | str | None:
        """As the value of a `gr.Image`."""
        if isinstance(self.picture, bytes):
            return Image.open(io.BytesIO(self.picture))
        return str(self.picture) if self.picture else None


@dataclass(frozen=True)
class Question:
    """Which adapters are asked about which image."""

    adapter: gr.Dropdown
    compare: gr.Dropdown
    image: gr.Image
    samples: gr.HTML
    sample_of: gr.State
    """Classes of the adapter whose sample stands in the image; () for a person's own picture."""
    replacement: gr.State
    """A `Replacement`, of which a new one takes the image's place."""

    def put_sample(self, picture: bytes, classes: Sequence[str]) -> Updates:
        """Updates that put a sample of an adapter with these classes into the image."""
        return {self.image: Image.open(io.BytesIO(picture)), self.sample_of: tuple(classes)}

    def empty(self) -> Updates:
        """Updates that leave the image empty, to be dropped on."""
        return {self.image: None, self.sample_of: ()}


@dataclass(frozen=True)
class ClassifyTab:
    question: Question
    inbox: Inbox
    hint: gr.Markdown
    """Stands where no answer does."""
    answers: Answers
    every: gr.Button
    merge: gr.Button
    teach: gr.Button
    """Leads to the class cards of Data."""
    to_cards: gr.Button
    """Leads there too, once a picture was added to one of them."""
    many: Many
    ask: Callable[..., Any] | None = None
    """Updates of `shown` where adapters were chosen elsewhere, from image, adapter, those beside it
    and `sample_of`; there once the tab is connected."""

    @property
    def shown(self) -> list[Part]:
        return [self.hint, *self.answers.parts]

    def show(self, updates: Updates) -> Updates:
        """`updates` of the answers, which take the place of the hint."""
        return {self.hint: gr.Markdown(visible=False), **updates}

    def wait(self, hint: str) -> Updates:
        """Updates that show the hint in place of answers."""
        return {self.hint: gr.Markdown(hint, visible=True), **self.answers.hide()}

    @property
    def begun(self) -> list[Part]:
        """Everything that `begin` changes."""
        question = self.question
        return [question.image, question.sample_of, question.samples, *self.shown]

    def begin(self, zoo: service.Zoo, adapter: str) -> Updates:
        """Updates for an adapter that was just trained: its held-out pictures, and room for a new
        one.
        """
        pictures = samples_of(zoo, adapter)
        return {
            **self.question.empty(),
            self.question.samples: samples.show(pictures),
            **self.wait(samples.hint(pictures)),
        }
