"""How each class is split: a thin bar, and its numbers for those who cannot see it."""

from collections.abc import Sequence
from html import escape

from ...contracts.cards import ClassCount

PARTS = ("train", "val", "test")


def draw(counts: Sequence[ClassCount], shots: int = 0) -> str:
    """HTML: a line for each class. One with fewer training images than `shots` is marked."""
    if not counts:
        return ""
    widest = max(1, *(_used(count) for count in counts))
    lines = "".join(_line(count, widest, shots) for count in counts)
    heads = "".join(f'<th scope="col" class="{part}">{part.capitalize()}</th>' for part in PARTS)
    return (
        '<div class="split" tabindex="0" role="region" aria-label="Split of the classes"><table>'
        f'<thead><tr><th scope="col">Class</th><th scope="col">Found</th>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _line(count: ClassCount, widest: int, shots: int) -> str:
    few = ' class="few"' if count.train < shots else ""
    numbers = f"<td>{count.found}</td><td{few}>{_trained(count, shots)}</td>"
    numbers += f"<td>{count.val}</td><td>{count.test}</td>"
    name = f'<th scope="row">{escape(count.name)}{_bar(count, widest)}</th>'
    return f"<tr>{name}{numbers}</tr>"


def _trained(count: ClassCount, shots: int) -> str:
    return f"{count.train} of {shots}" if count.train < shots else str(count.train)


def _bar(count: ClassCount, widest: int) -> str:
    """Train, validation and test as shares of the class of which most is used."""
    pieces = "".join(
        f'<i class="{part}" style="width:{100 * getattr(count, part) / widest:.2f}%"></i>'
        for part in PARTS
    )
    return f'<div aria-hidden="true">{pieces}</div>'


def _used(count: ClassCount) -> int:
    return count.train + count.val + count.test
