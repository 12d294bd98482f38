"""The tab Help: what this is, which methods there are and where each one stands in a block."""

from collections.abc import Iterable

import gradio as gr

from ...contracts.cards import MethodCard
from ...contracts.service import Training
from ...version import __version__
from .. import text
from ..block_drawing import sketches
from .words import ADDING, INTRODUCTION, LIMITS, PROGRAMS

DRAWINGS = """
## Where the methods stand
One block of the transformer and the head above it; what learns is coloured.
"""


def build(training: Training) -> None:
    """Draws the tab into the open context."""
    methods = training.methods()
    gr.Markdown(INTRODUCTION)
    gr.Markdown(DRAWINGS)
    gr.HTML(sketches(methods))
    gr.Markdown("## Methods\n" + methods_table(methods))
    gr.Markdown(PROGRAMS)
    gr.Markdown(ADDING)
    gr.Markdown(LIMITS)
    gr.Markdown(f"PEFT Demo {__version__} · Apache-2.0", elem_classes="quiet")


def methods_table(methods: Iterable[MethodCard]) -> str:
    """Markdown table: method, what it does, formula, paper, whether it merges."""
    head = ["| Method | What it does | Formula | Paper | Merges |", "|:--|:--|:--|:--|:--|"]
    rows = [f"| {' | '.join(_cells(method))} |" for method in methods]
    return "\n".join([*head, *rows])


def _cells(method: MethodCard) -> list[str]:
    formula = method.formula.replace("|", "\\|")
    return [
        text.plain(method.title),
        text.plain(method.summary),
        f"`{formula}`",
        _paper(method),
        "yes" if method.merges else "no",
    ]


def _paper(method: MethodCard) -> str:
    paper = text.plain(method.paper)
    if method.url.startswith("https://"):
        return f"[{paper}]({method.url})"
    return paper or "–"
