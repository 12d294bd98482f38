"""`inspect`: what an adapter changed in its backbone."""

from ..contracts.changes import Change, Changes
from ..contracts.text import rough_percent
from .options import Adapter, Json, Offline, Zoo
from .services import open_studio
from .terminal import print_answer, table

HEAD = ("LAYER", "SITE", "TRAINED", "CHANGE", "BIAS", "RANK", "TOUCHED")
"""CHANGE is ‖ΔW‖ / ‖W‖, BIAS is ‖Δb‖ / ‖b‖, RANK is the effective rank of ΔW, TOUCHED is the share
of the numbers in W that changed."""
LEGEND = (
    "CHANGE ‖ΔW‖/‖W‖, BIAS ‖Δb‖/‖b‖, RANK effective rank of ΔW, TOUCHED share of W that changed"
)


def inspect(
    adapter: Adapter, zoo: Zoo = None, offline: Offline = False, as_json: Json = False
) -> None:
    """Show what an adapter changed: how much of each weight, and at what effective rank."""
    with open_studio(zoo, offline) as studio:
        id = studio.zoo.find(adapter)
        result = studio.zoo.changes(id)
    print_answer({"adapter": id, **result.to_json()}, _lines(result), as_json)


def _lines(result: Changes) -> list[str]:
    """A row for each place, why some weights do not change, and the sum of trained numbers."""
    rows = [_row(change) for change in result.changes]
    reasons = dict.fromkeys(change.why for change in result.changes if change.why)
    total = f"{result.trainable:,} trained numbers in {len(rows)} places"
    if result.shared:
        total += f", of which {result.shared:,} are shared"
    return [*table([HEAD, *rows]), LEGEND, *reasons, f"{total}; the head is left out"]


def _row(change: Change) -> tuple[object, ...]:
    outside = change.layer < 0
    layer, site = ("–", change.place) if outside else (change.layer, change.kind)
    start = (layer, site, f"{change.trainable:,}")
    weight = change.weight
    if weight is None:
        return (*start, "–", "–", "–", "–")
    rank = "–" if weight.effective_rank is None else f"{weight.effective_rank:.1f}"
    size = rough_percent(weight.relative)
    shift = rough_percent(weight.relative_shift)
    return (*start, size, shift, rank, rough_percent(weight.share))
