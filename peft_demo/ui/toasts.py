"""Every failure of a handler becomes a sentence on the page; the traceback of an unforeseen one is
logged.
"""

import functools
import html
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import gradio as gr

from ..contracts.errors import PeftDemoError
from ..contracts.progress import Report
from .text import sentence

log = logging.getLogger(__name__)

UNFORESEEN = (
    "Something went wrong that was not foreseen. The details are in the terminal that runs the app."
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def speaking(handler: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`handler`, whose errors reach the page as `gr.Error` sentences, never as a bare "Error" or a
    path.
    """

    @functools.wraps(handler)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with _errors_as_sentences(handler):
            return handler(*args, **kwargs)

    return wrapped


def speaking_often(
    handler: Callable[Arguments, Iterator[Result]],
) -> Callable[Arguments, Iterator[Result]]:
    """As `speaking`, for a handler that yields what it has so far."""

    @functools.wraps(handler)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Iterator[Result]:
        with _errors_as_sentences(handler):
            yield from handler(*args, **kwargs)

    return wrapped


@contextmanager
def _errors_as_sentences(handler: Callable) -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except PeftDemoError as error:
        raise error_toast(error) from None
    except Exception:
        log.exception("unforeseen error in %s", getattr(handler, "__qualname__", handler))
        raise gr.Error(UNFORESEEN, title="Not foreseen", print_exception=False) from None


def error_toast(error: PeftDemoError) -> gr.Error:
    """The toast for an error that people can meet: its sentence and its next step."""
    problem = sentence(error.sentence.rstrip(";"))
    next_step = sentence(error.hint)
    words = f"{problem} {next_step}".strip()
    return gr.Error(
        html.escape(words, quote=False),
        title="That did not work",
        duration=12,
        print_exception=False,
    )


def toast(level: str, words: str) -> None:
    """A notice, shown for some seconds; `level` is "info" or "warning". Only
    from inside a handler.
    """
    show = gr.Warning if level == "warning" else gr.Info
    show(html.escape(sentence(words), quote=False), title="Note")


def reporter(progress: gr.Progress) -> Report:
    """A `Report` that draws itself on the page as Gradio's progress bar."""

    def report(what: str, fraction: float = -1.0) -> None:
        known = fraction if fraction >= 0 else None
        progress(known, desc=what)

    return report
