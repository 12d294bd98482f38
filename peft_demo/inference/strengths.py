"""How often an adapter is right when what it adds is scaled."""

from ..contracts.errors import BadData
from ..contracts.progress import Report
from ..contracts.specs import DataSpec
from ..contracts.strength import STEPS, AtStrength
from ..data import Dataset, stack
from .attached import Attached
from .scoring import again_split


def over_strengths(
    chosen: Attached, dataset: Dataset, data: DataSpec, report: Report | None = None
) -> list[AtStrength]:
    """On the validation images of its own run: a strength is chosen on them, not on test images.

    Raises `BadData` if the dataset is not the same any more, or has no validation images.
    """
    val = again_split(chosen, dataset, data, report).val
    if not val:
        raise BadData("it was trained without validation images.")
    images, labels = stack(val, chosen.backbone.size, report, chosen.card.picture_window)
    curve = []
    for number, strength in enumerate(STEPS):
        if report:
            report(f"strength {strength:g}", number / len(STEPS))
        answers = chosen.at(strength).answer(images).probabilities.argmax(dim=1)
        accuracy = (answers == labels).float().mean().item()
        curve.append(AtStrength(strength, accuracy, len(labels)))
    return curve
