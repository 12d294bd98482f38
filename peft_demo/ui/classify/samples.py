"""Pictures to try an adapter on, in a row under the image: those that were held out in its run,
wrong answers first, or some of the bundled set it was trained on.
"""

from collections.abc import Sequence

import gradio as gr

from ...contracts.cards import Sample
from .. import thumbnails
from ..thumbnails import Thumbnail

TRY = "Or try one of these"
HELD_OUT = "Held out in training, wrong answers first"

READY = "Drop, paste or photograph an image, or choose one of the pictures below."
NEW_PHOTO = "**Now try a new photo:** drop, paste or photograph one."
BELOW = "The pictures below were held out in training; choose one to see its answer again."


def build() -> gr.HTML:
    """Draws the empty row into the open context."""
    return thumbnails.build("samples", visible=False)


def show(samples: Sequence[Sample]) -> gr.HTML:
    """The row with these pictures, hidden if there are none."""
    heading = HELD_OUT if held_out(samples) else TRY
    drawn = thumbnails.draw([_thumbnail(sample) for sample in samples], heading)
    return gr.HTML(drawn, visible=bool(samples))


def held_out(samples: Sequence[Sample]) -> bool:
    """Whether the adapter was asked about them at the end of its run."""
    return any(sample.answer for sample in samples)


def hint(samples: Sequence[Sample]) -> str:
    """Markdown: what to do while there is no image."""
    if held_out(samples):
        return f"{NEW_PHOTO} {BELOW}"
    return READY if samples else NEW_PHOTO


def _thumbnail(sample: Sample) -> Thumbnail:
    if not sample.answer:
        return Thumbnail(sample.picture, sample.label)
    return thumbnails.answered(sample.picture, sample.label, sample.answer, sample.probability)
