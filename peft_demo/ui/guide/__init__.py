"""The tab Help: what this is, which methods there are and where each one stands in a block."""

import re
from collections.abc import Iterable
from html import escape

import gradio as gr

from ...contracts.cards import MethodCard
from ...contracts.service import Training
from ...version import __version__
from .. import text
from ..block_drawing import sketches
from . import steps
from .words import ADDING, INTRODUCTION, LIMITS, PROGRAMS

DRAWINGS = """
## Where the methods stand
One block of the transformer and the head above it; what learns is coloured.
"""


def build(training: Training) -> None:
    """Draws the tab into the open context."""
    methods = training.methods()
    gr.HTML(steps.draw(), padding=False, elem_id="steps")
    parts = [INTRODUCTION, DRAWINGS, "## Methods\n", PROGRAMS, ADDING, LIMITS]
    gr.HTML(contents(parts), padding=False, elem_id="contents")
    _part(INTRODUCTION)
    _part(DRAWINGS)
    gr.HTML(sketches(methods))
    _part("## Methods\n" + methods_table(methods))
    for words in (PROGRAMS, ADDING, LIMITS):
        _part(words)
    gr.Markdown(f"PEFT Demo {__version__} · Apache-2.0", elem_classes="quiet")


def contents(parts: Iterable[str]) -> str:
    """HTML: a link to each heading of these texts, in their order."""
    links = [f'<li><a href="#{anchor(name)}">{escape(name)}</a></li>' for name in headings(parts)]
    return f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'


def headings(parts: Iterable[str]) -> list[str]:
    """The headings of Markdown texts."""
    return [line[3:] for part in parts for line in part.splitlines() if line.startswith("## ")]


def anchor(heading: str) -> str:
    """What an address calls a heading: help-from-a-program."""
    return "help-" + re.sub("[^a-z0-9]+", "-", heading.lower()).strip("-")


def _part(words: str) -> None:
    """Draws a text, each of its headings at an anchor of its own."""
    for section in re.split(r"\n(?=## )", f"\n{words.strip()}"):
        if section.strip():
            gr.Markdown(section, elem_id=anchor(headings([section])[0]))


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
