"""`explain`: what in a picture an adapter's answer rests on."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ..contracts.errors import CannotWrite
from ..contracts.explanation import Explanation
from ..contracts.text import percent
from ..storage.atomic import write_file
from .options import Adapter, Json, Offline, Zoo
from .progress import Progress
from .services import open_studio
from .terminal import print_answer


def explain(
    adapter: Adapter,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture.")],
    out: Annotated[
        Path | None, Option(metavar="FILE", help="Write the picture here, as PNG.")
    ] = None,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Show what in a picture an answer rests on, by covering place after place."""
    if out:
        _check_ending(out)
    with open_studio(zoo, offline) as studio, Progress() as progress:
        id = studio.zoo.find(adapter)
        found = studio.answers.explain(image, id, progress.report)
    if out:
        write_file(out, found.picture)
    print_answer(found.to_json(), _lines(found, out), as_json)


def _check_ending(out: Path) -> None:
    """`CannotWrite` before anything is asked: a photo that is explained is not to be replaced."""
    if out.suffix.lower() != ".png" or out.exists():
        raise CannotWrite(
            f"{out.name}: the picture is written as a new file that ends in .png.",
            "Choose another name.",
        )


def _lines(found: Explanation, out: Path | None) -> list[str]:
    """The answer, the sentence, and the drops row by row."""
    lines = [f"{found.label}, {percent(found.probability)}", found.words, ""]
    lines += ["".join(f"{drop:6.1f}" for drop in row) for row in found.drops]
    lines.append("log-odds that the answer loses when that place is covered")
    return [*lines, f"picture: {out}"] if out else lines
