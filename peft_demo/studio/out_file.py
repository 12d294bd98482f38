"""A run whose adapter goes to a file that a person named, and not into the zoo."""

from pathlib import Path

from ..contracts.errors import BadValue
from ..contracts.origin import Origin
from ..storage.atomic import write_file
from ..storage.paths import expanded
from .job import Keep


def check_apart(out: Path, origin: Origin | None) -> None:
    """A run that is interrupted reads its origin again, so nothing may take its place."""
    if origin and expanded(origin.adapter).absolute() == out:
        raise BadValue(
            f"{out.name} is the adapter that this run goes on from.", "Name another file."
        )


def writer(out: Path) -> Keep:
    """Keeps a run's adapter in the file `out`."""

    def write_out(content: bytes, id: str) -> str:
        write_file(out, content)
        return str(out)

    return write_out
