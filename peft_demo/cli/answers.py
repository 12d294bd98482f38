"""`predict` and `evaluate`: what an adapter says of images, and how often it is right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ..contracts.cards import Prediction
from ..contracts.errors import BadImage
from ..contracts.text import percent
from .options import Adapter, Data, Json, Offline, Zoo, with_reading
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

if TYPE_CHECKING:
    from ..studio import Studio


def predict(
    adapter: Adapter,
    images: Annotated[list[Path], Argument(metavar="IMAGE...", help="Pictures to classify.")],
    top: Annotated[int, Option(metavar="N", help="How many classes to name.")] = 5,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Say what is on a picture."""
    with open_studio(zoo, offline) as studio:
        id = studio.zoo.find(adapter)
        predictions = [_classify(studio, image, id, top) for image in images]
    values = [_value(image, p) for image, p in zip(images, predictions, strict=True)]
    rows = [_row(image, p) for image, p in zip(images, predictions, strict=True)]
    print_answer(values, table(rows), as_json)


def _classify(studio: "Studio", image: Path, id: str, top: int) -> Prediction:
    try:
        return studio.answers.classify(image, [id], top)[0]
    except BadImage as error:
        raise BadImage(f"{image}: {error.sentence}", error.hint) from None


def _value(image: Path, prediction: Prediction) -> dict[str, Any]:
    return {
        "image": str(image),
        **vars(prediction),
        "label": prediction.label,
        "probability": prediction.probability,
    }


def _row(image: Path, prediction: Prediction) -> tuple[object, ...]:
    probability = percent(prediction.probability)
    return image, prediction.label, probability, f"{prediction.ms:.1f} ms"


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
