"""The commands about answers: what is none of the classes, and what an answer rests on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ..cli.options import Json, Offline, Seed, Shots, with_reading
from ..cli.progress import Progress
from ..cli.services import open_studio
from ..cli.terminal import print_answer, table
from ..contracts.specs import RunSpec

if TYPE_CHECKING:
    from ..inference import Attached
    from ..studio import Studio

Adapters = Annotated[list[str], Argument(metavar="ADAPTER...", help="Names of the zoo, or files.")]


@with_reading
def doubt(
    adapters: Adapters,
    data: Annotated[
        list[str],
        Option("--data", metavar="DATA", help="As for train; again for more. The adapters' too."),
    ],
    shots: Shots = 16,
    seed: Seed = 0,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Show each adapter images of all datasets, noise and grey: what does it call none of its
    classes, and how true are its probabilities?"""
    from . import doubting

    with open_studio(None, offline) as studio, Progress() as progress:
        specs = {name: studio.data.read(name, shots, seed, **reading or {}) for name in data}
        material = {name: (spec, studio.data.open(spec)) for name, spec in specs.items()}
        own, shown = [], []
        for number, adapter in enumerate(adapters):
            progress.report(adapter, number / len(adapters))
            chosen = _attached(studio, adapter, offline)
            mine, others = doubting.measure(Path(adapter).stem, chosen, material)
            own.append(mine)
            shown += others
    value = {"own": [vars(one) for one in own], "shown": [vars(one) for one in shown]}
    tables = [*table(doubting.rows(shown)), "", *table(doubting.own_rows(own)), ""]
    print_answer(value, [*tables, doubting.summary(own, shown)], as_json)


def why(
    adapters: Adapters,
    images: Annotated[int, Option(metavar="N", min=1, help="Test images of each.")] = 50,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Cover what `explain` says that answers rest on, on test images of each adapter's own bundled
    dataset: how soon does the answer go, against a random order?"""
    from . import explaining

    found = []
    with open_studio(None, offline) as studio, Progress() as progress:
        for number, adapter in enumerate(adapters):
            progress.report(adapter, number / len(adapters))
            chosen = _attached(studio, adapter, offline)
            spec = RunSpec.from_json(chosen.card.spec).data
            dataset = studio.data.open(spec)
            found.append(explaining.measure(chosen, dataset, spec, images))
    print_answer([vars(one) for one in found], table(explaining.rows(found)), as_json)


def _attached(studio: "Studio", adapter: str, offline: bool) -> "Attached":
    from .. import library

    file = library.load(studio.zoo.file(studio.zoo.find(adapter)))
    backbone = library.load_backbone(file.card.backbone, file.card.size, offline=offline)
    return library.attach(backbone, file).attached
