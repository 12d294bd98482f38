"""`calibrate`: an adapter of an earlier version, or of another program, learns how much its answers
are worth."""

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from .options import Adapter, Json, Offline, Zoo, with_reading
from .progress import Progress
from .services import open_studio
from .terminal import print_answer


@with_reading
def calibrate(
    adapter: Adapter,
    out: Annotated[
        Path, Option("--out", metavar="FILE", help="Where to write the adapter, safetensors.")
    ],
    data: Annotated[
        str, Option(metavar="DATA", help="What it was trained on, where the file does not say.")
    ] = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Make an adapter's probabilities true, and have it tell what is none of its classes.

    Runs do so at their end. This is for adapters of earlier versions and of other programs.
    """
    with open_studio(zoo, offline) as studio, Progress() as progress:
        spec = studio.data.read(data, **reading or {}) if data else None
        id = studio.zoo.find(adapter)
        card = studio.answers.calibrate(id, out, spec, progress.report)
    value = {"file": str(out), "temperature": card.temperature, "doubt": list(card.doubt)}
    heat = "left as it was" if card.temperature is None else f"{card.temperature:g}"
    print_answer(value, [f"{out}: temperature {heat}; tells what is none of its classes"], as_json)
