"""What the window of a dataset does to its deep and transparent pictures."""

from collections.abc import Iterable, Sequence

from ..contracts.window import window_text
from .dataset import Example
from .depth import Levels, choose_values
from .looks import Look, Looks
from .names import listed, plural

_FEW = 8
"""A picture that fills less than this part of the window comes out with few grey levels."""


def window_notices(chosen: Iterable[Example], looks: Looks) -> list[str]:
    """How deep and transparent pictures become plain RGB, and which of them lose most."""
    seen = {example: looks.seen[example] for example in chosen}
    notices = []
    values = looks.window.values
    if values and any(look.levels for look in seen.values()):
        low, high = (window_text((value,)) for value in values)
        notices.append(
            f"Pictures deeper than 8 bits: values from {low} to {high} become black to white, for "
            "all of them and for what the adapter is asked."
        )
        dim = [example for example, look in seen.items() if _is_dim(look, values)]
        notices += _dim_notices(dim, [looks.seen[example].levels for example in dim])
    if any(look.grounds for look in seen.values()):
        ground = looks.window.ground or "white"
        notices.append(f"Transparent pictures stand on a {ground} ground.")
    return notices


def _is_dim(look: Look, window: tuple[float, ...]) -> bool:
    """Whether a picture fills a small part of the window; what is blank is told elsewhere."""
    if look.levels is None or look.flat or look.levels.high <= look.levels.low:
        return False
    low, high = window
    filled = min(high, look.levels.high) - max(low, look.levels.low)
    return filled * _FEW < high - low


def _dim_notices(dim: Sequence[Example], seen: Sequence[Levels | None]) -> list[str]:
    if not dim:
        return []
    own = window_text(choose_values([levels for levels in seen if levels]))
    names = listed(example.name for example in dim)
    return [
        f"{plural(len(dim), 'picture')} with less than an eighth of these values, and so with few "
        f"grey levels: {names}. If the set mixes depths, bring the files to one depth; "
        f"--window {own} would suit these and cut the others off."
    ]
