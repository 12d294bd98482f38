"""Verify: whether the adapter that is open answers as it did when it was made."""

import gradio as gr

from ...contracts.errors import BadValue, PeftDemoError
from ...contracts.service import Zoo
from ...contracts.verification import Verification
from .. import text
from ..toasts import speaking
from ..wiring import UNQUEUED


def build() -> tuple[gr.Button, gr.Markdown]:
    """Draws the button into the open context, and gives the line that will hold the answer."""
    button = gr.Button("Verify", size="md", scale=0, min_width=110, elem_id="verify")
    return button, gr.Markdown("", elem_id="verified", render=False)


def connect(button: gr.Button, line: gr.Markdown, chosen: gr.State, zoo: Zoo) -> None:
    """Connects the events; another adapter takes the answer away."""
    button.click(
        verifier(zoo),
        chosen,
        line,
        api_visibility="private",
        show_progress_on=[line],
        concurrency_id="verify",
        concurrency_limit=1,
    )
    chosen.change(lambda: "", None, line, **UNQUEUED)


def verifier(zoo: Zoo):
    """The handler that verifies the chosen adapter; why it cannot be told stands in the answer's
    place."""

    @speaking
    def verify(id: str) -> str:
        if not id:
            raise BadValue("no adapter is chosen.", "Open one first.")
        try:
            return words(zoo.verify(id))
        except PeftDemoError as error:
            return f"**Not verified.** {text.plain(text.sentence(str(error)))}"

    return verify


def words(result: Verification) -> str:
    """Markdown: the answer, and what may be wrong."""
    verdict = "Verified." if result.agrees else "Something is wrong."
    return f"**{verdict}** {text.plain(' '.join([result.sentence, *result.notes]))}"
