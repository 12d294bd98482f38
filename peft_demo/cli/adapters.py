"""`merge`, `export` and `import`: adapters on their way to and from other programs."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ..contracts.errors import BadValue
from ..contracts.knobs import parse_settings
from ..contracts.specs import ImportHints
from ..storage.paths import is_there
from .class_names import class_names
from .options import (
    Adapter,
    Adapters,
    Backbone,
    Json,
    NewName,
    Offline,
    Shares,
    Size,
    Zoo,
    parse_shares,
)
from .services import open_studio
from .terminal import print_answer


def merge(
    adapters: Adapters,
    out: Annotated[
        Path,
        Option("--out", metavar="FILE", help="Where to write plain timm weights, safetensors."),
    ],
    shares: Shares = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Fold an adapter, or the mean of several, into their backbone and write plain timm weights."""
    with open_studio(zoo, offline) as studio:
        ids = [studio.zoo.find(adapter) for adapter in adapters]
        if len(ids) == 1:
            studio.zoo.merge(ids[0], out)
        else:
            studio.zoo.blend(ids, out, parse_shares(shares))
    size = out.stat().st_size
    value = {"file": str(out), "file_bytes": size}
    print_answer(value, [f"{out}: {size / 1e6:.1f} MB of plain timm weights"], as_json)


def export(
    adapter: Adapter,
    to: Annotated[
        str, Option("--to", metavar="FORMAT", help="Whose format to write; a wrong one lists all.")
    ],
    out: Annotated[Path, Option("--out", metavar="PATH", help="A new folder, or a file (onnx).")],
    rank: Annotated[
        int,
        Option(metavar="R", min=0, help="For peft, transformers: the nearest LoRA of this rank."),
    ] = 0,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Write an adapter for another program, for instance huggingface/peft, timm or ONNX."""
    with open_studio(zoo, offline) as studio:
        notes = studio.zoo.export(studio.zoo.find(adapter), to, out, rank)
    value = {"path": str(out), "format": to, "notes": list(notes)}
    print_answer(value, [f"{out}: written for {to}", *notes], as_json)


def import_adapter(
    path: Annotated[
        Path,
        Argument(
            metavar="PATH", help="An adapter file, a folder of huggingface/peft, a 1-bit .bin."
        ),
    ],
    method: Annotated[
        str, Option(metavar="M", help="Of a 1-bit file: bi_lora or bi_adaptformer.")
    ] = "",
    settings: Annotated[
        list[str] | None, Option("--set", metavar="KNOB=VALUE", help="Of a 1-bit file; repeat.")
    ] = None,
    classes: Annotated[
        str, Option(metavar="A,B,C", help="Their names in the order of the head.")
    ] = "",
    classes_file: Annotated[
        Path | None,
        Option(metavar="FILE", help="The same, one name a line or as a JSON list."),
    ] = None,
    backbone: Backbone = "",
    size: Size = 0,
    name: NewName = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Take an adapter into the zoo: an adapter file, a LoRA of huggingface/peft, a 1-bit file."""
    hints = ImportHints(
        method=method,
        knobs=parse_settings(settings or ()),
        classes=class_names(classes, classes_file),
        backbone=backbone,
        size=size,
        name=name,
    )
    with open_studio(zoo, offline) as studio:
        if not is_there(path):
            raise BadValue(f"there is no {path}.", "Name a file or a folder of this machine.")
        id = studio.zoo.take(path, hints)
        card = studio.zoo.card(id)
        file = studio.zoo.file(id)
    value = {
        "adapter": id,
        "method": card.method,
        "backbone": card.backbone,
        "classes": list(card.classes),
        "file": str(file),
    }
    line = f"{id}: {card.method} on {card.backbone}, {len(card.classes)} classes"
    print_answer(value, [line], as_json)
