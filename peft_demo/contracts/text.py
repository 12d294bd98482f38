"""How numbers are written wherever a person reads them: on the page, on the command line, on a model card."""


def percent(fraction: float | None) -> str:
    """0.942 → 94.2 %; None → not measured."""
    if fraction is None:
        return "not measured"
    return f"{100 * fraction:.1f} %"
