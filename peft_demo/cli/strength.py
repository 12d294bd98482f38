"""`strength`: how an adapter fares when what it adds is scaled."""

from ..contracts.strength import best
from .options import Adapter, Json, Offline, Zoo
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

HEAD = ("STRENGTH", "RIGHT")


def strength(
    adapter: Adapter, zoo: Zoo = None, offline: Offline = False, as_json: Json = False
) -> None:
    """Try 0 (the frozen backbone under the adapter's head) to 1.5 times what an adapter adds, on
    the validation images of its run."""
    with open_studio(zoo, offline) as studio, Progress() as progress:
        id = studio.zoo.find(adapter)
        curve = studio.answers.strengths(id, progress.report)
    rows = [(f"{point.strength:g}", point.words) for point in curve]
    top = best(curve)
    lines = [*table([HEAD, *rows]), f"most often right on validation images at {top.strength:g}"]
    value = {"adapter": id, "curve": [point.to_json() for point in curve], "best": top.strength}
    print_answer(value, lines, as_json)
