"""Tab 5: what this is, which methods there are and where each one stands in a block. All of it our own words."""

from collections.abc import Iterable, Sequence

import gradio as gr

from .. import __version__
from ..contracts.cards import MethodCard
from ..contracts.service import Service
from . import text

INTRODUCTION = """
### What is parameter-efficient fine-tuning?
A Vision Transformer that has seen many images knows a lot about shapes and textures. To teach it *your* classes one
need not change it: it stays **frozen**, and a small **adapter** learns beside it, often less than one per cent of its
size. The adapter is a small file. Many adapters share one backbone, and switching between them takes no time.

### How to use this page
1. **Data**: choose a bundled set, or collect a few photos per class, or drop a zip of class folders.
2. **Train**: choose a method and press Start. The curves are live; Stop keeps the best state so far.
3. **Adapters**: look at the card inside each file, download it, add one you were given.
4. **Classify**: drop an image; compare up to four adapters on it.

### How it measures
*Shots* are training images per class. The best state is chosen on **validation** images; the **test** images are looked
at once, at the end, and never after a stop. With fewer than three images of a class nothing is left to test on, and
the page says "not measured". The backbone's tensors are hashed before and after each run: *unchanged* is a proof.
"""
LIMITS = """
### Files and privacy
Everything stays on the machine that runs this app: runs, images and adapters lie under `PEFT_DEMO_HOME`. The page asks
no other host for anything. Adapter files are safetensors with a card in the header; there is no pickle, and a file that
is damaged or made for another backbone is refused before it is loaded. Deleted adapters go to a trash folder.

### Limits
One training run at a time. Photographs only, one label per image. The webcam needs `localhost` or HTTPS. An adapter
always answers with one of its own classes: an image of something else gets the nearest one, often with confidence.
"""


def build(service: Service) -> None:
    """Draws the tab into the open context."""
    methods = service.methods()
    gr.Markdown(INTRODUCTION)
    gr.Markdown(
        "### Where the methods stand\nOne block of the transformer and the head above it; what learns is coloured."
    )
    gr.HTML(sketches(methods))
    gr.Markdown("### Methods\n" + methods_table(methods))
    gr.Markdown(LIMITS)
    gr.Markdown(f"PEFT Demo {__version__} · Apache-2.0", elem_classes="quiet")


def methods_table(methods: Iterable[MethodCard]) -> str:
    """Markdown table: method, what it does, formula, paper, whether it merges."""
    rows = ["| Method | What it does | Formula | Paper | Merges |", "|:--|:--|:--|:--|:--|"]
    for m in methods:
        paper = f"[{text.plain(m.paper)}]({m.url})" if m.url.startswith("https://") else text.plain(m.paper) or "–"
        formula = m.formula.replace("|", "\\|")
        cells = text.plain(m.title), text.plain(m.summary), f"`{formula}`", paper, "yes" if m.merges else "no"
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


PLACES = {
    "norm1": (24, "LN"),
    "qkv": (48, "qkv"),
    "softmax": (72, "attention"),
    "proj": (96, "proj"),
    "norm2": (138, "LN"),
    "fc1": (162, "fc1"),
    "act": (186, "GELU"),
    "fc2": (210, "fc2"),
    "head": (262, "head"),
}
"""Parts of a pre-norm block and the head from the input up: (distance from the bottom, word)."""
PARTS = tuple(p for p in PLACES if p != "head")
COVERS = {
    "q": ("qkv",),
    "k": ("qkv",),
    "v": ("qkv",),
    "attn": ("norm1", "qkv", "softmax", "proj"),
    "mlp": ("norm2", "fc1", "act", "fc2"),
    "block": PARTS,
    "blocks": PARTS,
    "norm": ("norm1", "norm2"),
}
"""Roles that are not one part by themselves."""


def sketches(methods: Sequence[MethodCard]) -> str:
    """One small drawing of a block for every set of places, under the titles of the methods that share it."""
    by_sites: dict[frozenset, list[str]] = {}
    for m in methods:
        by_sites.setdefault(lit(m.sites), []).append(m.name)
    figures = [
        f"<figure>{svg(sites)}<figcaption>{', '.join(map(_word, n))}</figcaption></figure>"
        for sites, n in by_sites.items()
    ]
    return f'<div class="sketch">{"".join(figures)}</div>'


def lit(sites: Iterable[str]) -> frozenset[str]:
    """Parts of the drawing a method colours, the head always; roles it does not know are left out."""
    return frozenset({"head"}) | frozenset(p for s in sites for p in COVERS.get(s, (s,)) if p in PLACES)


def svg(parts: frozenset[str]) -> str:
    """A block as boxes on a residual line, input below; `parts` in the accent colour. Constants only."""
    boxes = "".join(_box(292 - y, word, name in parts) for name, (y, word) in PLACES.items())
    loops = _loop(280, 174) + _loop(166, 60)
    line = '<path d="M28 298V38H86" stroke="currentColor" fill="none" opacity=".45"/>'
    return f'<svg viewBox="16 8 116 292" role="img" aria-label="transformer block">{line}{loops}{boxes}</svg>'


def _loop(bottom: int, top: int) -> str:
    """A residual branch: leaves the line at `bottom`, comes back at `top`."""
    path = f'<path d="M28 {bottom}H86V{top}H32" stroke="currentColor" fill="none" opacity=".45"/>'
    return path + f'<circle cx="28" cy="{top}" r="5" fill="none" stroke="currentColor" opacity=".7"/>'


def _box(y: int, word: str, on: bool) -> str:
    fill = 'fill="var(--color-accent)"' if on else 'fill="var(--block-background-fill)" stroke="currentColor"'
    ink = "white" if on else "currentColor"
    box = f'<rect x="48" y="{y - 18}" width="76" height="18" rx="4" {fill} stroke-opacity=".4"/>'
    return box + f'<text x="86" y="{y - 5}" font-size="11" text-anchor="middle" fill="{ink}">{word}</text>'


def _word(name: str) -> str:
    """A method's name if it is a plain word; it goes into HTML."""
    return name if name.replace("_", "").isalnum() else "?"
