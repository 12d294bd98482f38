"""`methods`: the methods, and what each would train."""

from typing import TYPE_CHECKING, Any

from ..contracts.cards import MethodCard
from ..contracts.errors import BadValue
from ..contracts.specs import RunSpec
from .options import Backbone, Json, Offline
from .services import open_studio
from .terminal import print_answer, table

if TYPE_CHECKING:
    from ..studio import Studio

HEAD = ("METHOD", "TRAINABLE", "", "PAPER")


def list_methods(backbone: Backbone = "", offline: Offline = False, as_json: Json = False) -> None:
    """List the methods and what each would train, head left out."""
    with open_studio(offline=offline) as studio:
        methods = [_described(studio, card, backbone) for card in studio.training.methods()]
    print_answer(methods, table([HEAD, *map(_row, methods)]), as_json)


def _described(studio: "Studio", card: MethodCard, backbone: str) -> dict[str, Any]:
    """What the method trains. Where it does not fit, `trainable` is None and `refusal` says why."""
    method = {"name": card.name, "merges": card.merges, "paper": card.paper}
    try:
        cost = studio.training.cost(RunSpec(method=card.name, backbone=backbone))
    except BadValue as error:
        return {**method, "trainable": None, "refusal": str(error)}
    method["trainable"] = cost.trainable
    if cost.budget:
        method["budget"] = True
    return method


def _row(method: dict[str, Any]) -> tuple[str, ...]:
    merges = "merges" if method["merges"] else ""
    return method["name"], _trainable(method), merges, method["paper"]


def _trainable(method: dict[str, Any]) -> str:
    if method["trainable"] is None:
        return "does not fit"
    budget = " (a budget)" if method.get("budget") else ""
    return f"{method['trainable']:,}{budget}"
