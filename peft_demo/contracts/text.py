"""How values are written wherever a person reads them: page, command line, model card, error."""

QUOTED = 100
"""Characters of a value from elsewhere that a sentence shows at most."""


def percent(fraction: float | None) -> str:
    """0.942 → 94.2 %; None → not measured."""
    if fraction is None:
        return "not measured"
    return f"{100 * fraction:.1f} %"


def quoted(value: object) -> str:
    """`value` as Python writes it, cut to `QUOTED` characters."""
    text = repr(value)
    if len(text) <= QUOTED:
        return text
    return f"{text[: QUOTED - 1]}…"
