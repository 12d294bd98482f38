"""`evaluate`: how often an adapter is right."""

from typing import Any

from ..contracts.text import percent
from .options import Adapter, Data, Json, Offline, Zoo, with_reading
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table


@with_reading
def evaluate(
    adapter: Adapter,
    data: Data,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Measure an adapter on a dataset; images it was trained on are left out."""
    with open_studio(zoo, offline) as studio, Progress() as progress:
        spec = studio.data.read(data, **reading or {})
        score = studio.answers.evaluate(studio.zoo.find(adapter), spec, progress.report)
    rows = [(name, percent(right), f"{images} images") for name, right, images in score.per_class]
    total = f"accuracy {percent(score.accuracy)} of {score.images} images"
    left_out = f"{score.left_out} left out, seen in training"
    print_answer(vars(score), [*table(rows), f"{total}; {left_out}"], as_json)
