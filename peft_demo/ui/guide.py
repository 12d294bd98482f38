"""Tab 5: what this is, which methods there are and where each one stands in a block. All of it our own words."""

from collections.abc import Iterable, Sequence

import gradio as gr

from ..contracts.cards import MethodCard
from ..contracts.service import Service
from ..version import __version__
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
Runs, images and adapters lie under `PEFT_DEMO_HOME` on the machine that runs this app, which on a Space is Hugging
Face's; the Hub is asked for backbones, sets and adapters that you choose from it, and only *Share on the Hub* sends
something there, after it has shown what. Adapter files are safetensors with a card in the header; there is no pickle,
and a file that is damaged or made for another backbone is refused before it is loaded. Deleted adapters go to a trash
folder.

### Limits
One training run at a time. Photographs only, one label per image. The webcam needs `localhost` or HTTPS. An adapter
always answers with one of its own classes: an image of something else gets the nearest one, often with confidence.
"""
ADDING = """
### Adding a method
A method is one file in `peft_demo/methods`: its deltas, its knobs, and a record of what it is. Form, flags, table, card
and tests find it by themselves. The docstring of `peft_demo/methods/__init__.py` says what a record holds,
`peft_demo/methods/lora.py` is one to start from, and `pytest tests/test_laws.py` holds it to what all methods promise.

### The adapter file
One safetensors file holds the method's parameters (`deltas`, or their packed bits in `codes`), the tensors of the
backbone that it trained copies of (`tensors`), the classifier (`head`), and as JSON in its header the card: method,
knobs, classes, the SHA-256 of the backbone, image size and normalisation, scores, split and curves. Of the images there
are hashes, and a small picture of one only where you asked for it; no path of your machine.

### Citing
Please cite the papers of the methods you use. The table above links them, and the model card of an adapter that you
share names them.
"""
PROGRAMS = """
### From a program
Two endpoints answer what the page answers. `pip install gradio_client`, and with this page's address:
```python
from gradio_client import Client, handle_file

page = Client("http://127.0.0.1:7860")
known = page.predict(api_name="/adapters")  # id, method, classes, accuracies, bytes of each
said = page.predict(handle_file("photo.jpg"), [known[0]["id"]], api_name="/classify")
print(said[0]["label"], said[0]["probability"])
```
Up to four adapters answer at once; a third value asks for that many classes. In the Python that runs this app there is
also the library itself:
```python
from peft_demo import load_backbone, attach, train, save, load

backbone = load_backbone()
adapter = train(backbone, "lora", "digits", shots=4, epochs=2, rank=8)
save(adapter, "digits.safetensors")
model = attach(backbone, load("digits.safetensors"))
print(adapter.accuracy, model.classify("photo.jpg").label)
```

### As an app of its own
Browsers that can install pages (Chrome, Edge, Safari) offer it in the address bar or under *Share*: it then opens in a
window of its own, as long as the app runs. `python app.py --open` starts it and opens the page.
"""


def build(service: Service) -> None:
    """Draws the tab into the open context."""
    methods = service.training.methods()
    gr.Markdown(INTRODUCTION)
    gr.Markdown(
        "### Where the methods stand\nOne block of the transformer and the head above it; what learns is coloured."
    )
    gr.HTML(sketches(methods))
    gr.Markdown("### Methods\n" + methods_table(methods))
    gr.Markdown(PROGRAMS)
    gr.Markdown(ADDING)
    gr.Markdown(LIMITS)
    gr.Markdown(f"PEFT Demo {__version__} · Apache-2.0", elem_classes="quiet")


def methods_table(methods: Iterable[MethodCard]) -> str:
    """Markdown table: method, what it does, formula, paper, whether it merges."""
    rows = ["| Method | What it does | Formula | Paper | Merges |", "|:--|:--|:--|:--|:--|"]
    for m in methods:
        paper = (
            f"[{text.plain(m.paper)}]({m.url})"
            if m.url.startswith("https://")
            else text.plain(m.paper) or "–"
        )
        formula = m.formula.replace("|", "\\|")
        cells = (
            text.plain(m.title),
            text.plain(m.summary),
            f"`{formula}`",
            paper,
            "yes" if m.merges else "no",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


PLACES = {
    "patch": (12, "patches"),
    "norm1": (56, "LN"),
    "qkv": (80, "qkv"),
    "softmax": (104, "attention"),
    "proj": (128, "proj"),
    "norm2": (170, "LN"),
    "fc1": (194, "fc1"),
    "act": (218, "GELU"),
    "fc2": (242, "fc2"),
    "norm": (292, "LN"),
    "head": (316, "head"),
}
"""Boxes from the input up: (distance of the box's lower edge from the bottom, word)."""
HEIGHT = 344
FRAMES = {"block": "", "stack": "5 4"}
"""What stands around a whole block, or around all of them, is a frame: its dashes."""
COVERS = {
    "q": ("qkv",),
    "k": ("qkv",),
    "v": ("qkv",),
    "attn": ("norm1", "qkv", "softmax", "proj"),
    "mlp": ("norm2", "fc1", "act", "fc2"),
}
"""Roles that are not one box by themselves."""


def sketches(methods: Sequence[MethodCard]) -> str:
    """One small drawing of a block for every set of places, under the names of the methods that share it."""
    sharing: dict[frozenset, list[str]] = {}
    for m in methods:
        sharing.setdefault(lit(m.sites), []).append(_word(m.name))
    figures = [
        f"<figure>{svg(sites)}<figcaption>{', '.join(names)}</figcaption></figure>"
        for sites, names in sharing.items()
    ]
    return f'<div class="sketch">{"".join(figures)}</div>'


def lit(sites: Iterable[str]) -> frozenset[str]:
    """What of the drawing a method colours, the head always; roles it does not know are left out."""
    known = {*PLACES, *FRAMES}
    return frozenset({"head"}) | frozenset(
        p for s in sites for p in COVERS.get(s, (s,)) if p in known
    )


def svg(lit: frozenset[str]) -> str:
    """A block as boxes on a residual line, input below; `lit` in the accent colour. Constants only."""
    boxes = "".join(_box(HEIGHT - y, word, name in lit) for name, (y, word) in PLACES.items())
    line = _path("M86 314V304H28V54H86V52")
    frames = "".join(_frame(dashes) for name, dashes in FRAMES.items() if name in lit)
    drawn = line + _loop(296, 196) + _loop(184, 82) + frames + boxes
    return f'<svg viewBox="8 4 132 {HEIGHT - 8}" role="img" aria-label="transformer block">{drawn}</svg>'


def _path(d: str) -> str:
    return f'<path d="{d}" stroke="currentColor" fill="none" opacity=".45"/>'


def _loop(bottom: int, top: int) -> str:
    """A residual branch: leaves the line at `bottom`, comes back at `top`."""
    circle = f'<circle cx="28" cy="{top}" r="5" fill="none" stroke="currentColor" opacity=".7"/>'
    return _path(f"M28 {bottom}H86V{top}H34") + circle


def _frame(dashes: str) -> str:
    look = f'fill="none" stroke="var(--color-accent)" stroke-width="2" stroke-dasharray="{dashes}"'
    return f'<rect x="14" y="73" width="120" height="227" rx="8" {look}/>'


def _box(y: int, word: str, on: bool) -> str:
    fill = (
        'fill="var(--color-accent)"'
        if on
        else 'fill="var(--block-background-fill)" stroke="currentColor"'
    )
    ink = "white" if on else "currentColor"
    box = f'<rect x="48" y="{y - 18}" width="76" height="18" rx="4" {fill} stroke-opacity=".4"/>'
    return (
        box
        + f'<text x="86" y="{y - 5}" font-size="11" text-anchor="middle" fill="{ink}">{word}</text>'
    )


def _word(name: str) -> str:
    """A method's name if it is a plain word; it goes into HTML."""
    return name if name.replace("_", "").isalnum() else "?"
