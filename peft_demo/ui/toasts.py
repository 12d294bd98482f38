"""Every failure of a handler becomes a sentence on the page; the traceback of an unforeseen one goes to the log."""

import functools
import html
import logging

import gradio as gr

from ..contracts.errors import PeftDemoError
from .text import sentence

log = logging.getLogger(__name__)
QUEUED = {"api_visibility": "private", "show_progress": "hidden"}
"""How to connect a handler a person waits for: on the queue, because outside it Gradio shows no error and no toast."""
UNQUEUED = QUEUED | {"queue": False}
"""How to connect a handler that only redraws and has nothing to say: no queue, no spinner."""
UNFORESEEN = (
    "Something went wrong that was not foreseen. The details are in the terminal that runs the app."
)


def speaking(handler):
    """`handler`, whose errors reach the page as `gr.Error` sentences and never as a bare "Error" or a path."""

    @functools.wraps(handler)
    def wrapped(*given, **named):
        try:
            return handler(*given, **named)
        except gr.Error:
            raise
        except PeftDemoError as error:
            raise refusal(error) from None
        except Exception:
            log.exception("unforeseen error in %s", handler.__qualname__)
            raise gr.Error(UNFORESEEN, title="Not foreseen", print_exception=False) from None

    return wrapped


def refusal(error: PeftDemoError) -> gr.Error:
    """The toast for an error people can meet: its sentence and its next step."""
    said = " ".join(filter(None, (sentence(error.sentence.rstrip(";")), sentence(error.hint))))
    return gr.Error(
        html.escape(said, quote=False),
        title="That did not work",
        duration=12,
        print_exception=False,
    )


def toast(level: str, words: str) -> None:
    """A notice from a run, shown for some seconds; only from inside a handler."""
    say = gr.Warning if level == "warning" else gr.Info
    say(html.escape(sentence(words), quote=False), title="Note")
