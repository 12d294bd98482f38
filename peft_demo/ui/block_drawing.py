"""A drawing of one transformer block, with the places coloured where a method learns. Constants
only, as SVG.
"""

from collections.abc import Iterable, Sequence

from ..contracts.cards import MethodCard

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
    """HTML: one small drawing for every set of places, under the names of the methods that share
    it.
    """
    sharing: dict[frozenset[str], list[str]] = {}
    for method in methods:
        names = sharing.setdefault(highlighted(method.sites), [])
        names.append(_word(method.name))
    figures = [_figure(places, names) for places, names in sharing.items()]
    return f'<div class="sketch">{"".join(figures)}</div>'


def _figure(places: frozenset[str], names: Sequence[str]) -> str:
    return f"<figure>{svg(places)}<figcaption>{', '.join(names)}</figcaption></figure>"


def highlighted(sites: Iterable[str]) -> frozenset[str]:
    """The places that a method colours, the head always; roles that the drawing does not know are
    left out.
    """
    known = {*PLACES, *FRAMES}
    places = {"head"}
    for site in sites:
        places |= known.intersection(COVERS.get(site, (site,)))
    return frozenset(places)


def svg(coloured: frozenset[str]) -> str:
    """A block as boxes on a residual line, input below; the `coloured` places
    in the accent colour.
    """
    boxes = [_box(HEIGHT - edge, word, name in coloured) for name, (edge, word) in PLACES.items()]
    frames = [_frame(dashes) for name, dashes in FRAMES.items() if name in coloured]
    line = _path("M86 314V304H28V54H86V52")
    parts = [line, _branch(296, 196), _branch(184, 82), *frames, *boxes]
    view = f'viewBox="8 4 132 {HEIGHT - 8}" role="img" aria-label="transformer block"'
    return f"<svg {view}>{''.join(parts)}</svg>"


def _path(d: str) -> str:
    return f'<path d="{d}" stroke="currentColor" fill="none" opacity=".45"/>'


def _branch(bottom: int, top: int) -> str:
    """A residual branch: leaves the line at `bottom`, comes back at `top`."""
    circle = f'<circle cx="28" cy="{top}" r="5" fill="none" stroke="currentColor" opacity=".7"/>'
    return _path(f"M28 {bottom}H86V{top}H34") + circle


def _frame(dashes: str) -> str:
    look = f'fill="none" stroke="var(--color-accent)" stroke-width="2" stroke-dasharray="{dashes}"'
    return f'<rect x="14" y="73" width="120" height="227" rx="8" {look}/>'


def _box(y: int, word: str, coloured: bool) -> str:
    fill = 'fill="var(--block-background-fill)" stroke="currentColor"'
    ink = "currentColor"
    if coloured:
        fill = 'fill="var(--color-accent)"'
        ink = "white"
    box = f'<rect x="48" y="{y - 18}" width="76" height="18" rx="4" {fill} stroke-opacity=".4"/>'
    style = f'font-size="11" text-anchor="middle" fill="{ink}"'
    return f'{box}<text x="86" y="{y - 5}" {style}>{word}</text>'


def _word(name: str) -> str:
    """A method's name if it is a plain word; it goes into HTML."""
    return name if name.replace("_", "").isalnum() else "?"
