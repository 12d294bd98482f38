"""`backbones` and `backbones add`: the frozen models that adapters stand on."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument

from ..contracts.cards import BackboneCard
from .options import Arch, Json, NewName, Offline
from .services import open_studio
from .terminal import print_answer, table

app = typer.Typer(
    help="List the frozen backbones, or add one from a file.", invoke_without_command=True
)

HEAD = ("BACKBONE", "SOURCE", "PARAMETERS", "SIZE", "FILE", "")


@app.callback()
def list_backbones(context: typer.Context, offline: Offline = False, as_json: Json = False) -> None:
    """List the frozen backbones, or add one from a file."""
    if context.invoked_subcommand:
        return
    with open_studio(offline=offline) as studio:
        cards = studio.zoo.backbones()
    print_answer([vars(card) for card in cards], table([HEAD, *map(_row, cards)]), as_json)


def _row(card: BackboneCard) -> tuple[str, ...]:
    if card.refusal:
        return (card.name, card.source, "", "", "", card.refusal)
    return (
        card.name,
        card.source,
        f"{card.parameters / 1e6:.1f} M",
        f"{card.size} px",
        f"{card.megabytes:.0f} MB",
        "",
    )


@app.command("add")
def add_backbone(
    file: Annotated[Path, Argument(metavar="FILE", help="Weights: safetensors, .npz, .pth, .bin.")],
    arch: Arch = "",
    name: NewName = "",
    as_json: Json = False,
) -> None:
    """Read a weights file and keep its tensors, for every command and the page."""
    with open_studio() as studio:
        card = studio.zoo.add_backbone(file, arch, name, pickles=True)
    line = f"{card.name}: {card.parameters:,} parameters, sha256 {card.fingerprint}"
    print_answer(vars(card), [*card.notices, line], as_json)
