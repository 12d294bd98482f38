"""`map`: what an adapter did to the features of pictures."""

from typing import Annotated, Any

from typer import Argument, Option

from ..contracts.data_map import PARTS, PCA, TEST, TRAINING, TSNE, ClassNeighbours, DataMap
from .options import Adapter, Json, Offline, Seed, Shots, Zoo, with_reading
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

HEAD = ("class", "images", "before", "after")


@with_reading
def data_map(
    adapter: Adapter,
    data: Annotated[
        str, Argument(metavar="DATA", help="As --data of evaluate; its own if left out.")
    ] = "",
    training: Annotated[
        bool, Option("--training", help="Its training images in place of test images.")
    ] = False,
    tsne: Annotated[bool, Option("--tsne", help="Draw by t-SNE in place of PCA.")] = False,
    shots: Shots = 16,
    seed: Seed = 0,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Say how often the picture with the most similar features is of the same class, in the frozen
    backbone and with the adapter; with --json also where each picture lies on a plane."""
    part = TRAINING if training else TEST
    drawing = TSNE if tsne else PCA
    with open_studio(zoo, offline) as studio, Progress() as progress:
        id = studio.zoo.find(adapter)
        spec = studio.data.read(data, shots, seed, **reading or {}) if data else None
        drawn = studio.answers.map(id, spec, part, drawing, progress.report)
    print_answer({"adapter": id, **drawn.to_json()}, _lines(drawn), as_json)


def _lines(drawn: DataMap) -> list[str]:
    """A row for each class, and a sentence about all."""
    rows = [_row(entry) for entry in drawn.neighbours()]
    images = f"{len(drawn.pictures)} of {drawn.out_of} images, {PARTS[drawn.part]}"
    return [*table([HEAD, *rows]), drawn.in_words(), images]


def _row(entry: ClassNeighbours) -> tuple[object, ...]:
    return (entry.name, entry.images, entry.before, entry.after)
