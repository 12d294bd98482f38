"""`zoo`: the adapters of this machine, and whether each is still as good as its card says."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from ..contracts.accuracy import in_short
from ..contracts.cards import ZooEntry
from ..contracts.errors import PeftDemoError
from .options import Json, Offline, Zoo
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

if TYPE_CHECKING:
    from ..studio import Studio

TOLERANCE = 0.01
"""How far a test accuracy may lie from its card: processors round otherwise, and an image tips."""
HEAD = ("ADAPTER", "METHOD", "BACKBONE", "CLASSES", "KB", "VAL", "TEST", "")
VERIFY_HEAD = ("ADAPTER", "CARD", "NOW", "IMAGES", "")
EMPTY = ["no adapters yet."]
EMPTY_TRASH = ["the trash is empty."]
CARD_FIELDS = (
    "name",
    "method",
    "backbone",
    "size",
    "classes",
    "val_accuracy",
    "val_images",
    "test_accuracy",
    "test_images",
    "created",
)


def list_adapters(
    verify: Annotated[
        bool, Option("--verify", help="Measure each on its test images again; 1 if one differs.")
    ] = False,
    delete: Annotated[
        str, Option("--delete", metavar="ADAPTER", help="Move this one to the trash.")
    ] = "",
    trash: Annotated[bool, Option("--trash", help="List what lies in the trash.")] = False,
    restore: Annotated[
        str, Option("--restore", metavar="NAME", help="Move this one back from the trash.")
    ] = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """List the adapters, own ones first, then those that come with the project."""
    if verify:
        return _verify(zoo, offline, as_json)
    if delete:
        return _delete(delete, zoo, offline, as_json)
    if restore:
        return _restore(restore, zoo, offline, as_json)
    with open_studio(zoo, offline) as studio:
        entries = studio.zoo.trash() if trash else studio.zoo.entries()
    lines = entry_lines(entries) if entries else EMPTY_TRASH if trash else EMPTY
    print_answer([entry_value(entry) for entry in entries], lines, as_json)


def _delete(adapter: str, zoo: Path | None, offline: bool, as_json: bool) -> None:
    with open_studio(zoo, offline) as studio:
        name = studio.zoo.delete(adapter)
    line = f"{adapter} lies in the trash; `zoo --restore {name}` brings it back"
    print_answer({"trash": name}, [line], as_json)


def _restore(name: str, zoo: Path | None, offline: bool, as_json: bool) -> None:
    with open_studio(zoo, offline) as studio:
        id = studio.zoo.restore(name)
    meanwhile = "" if id == name else f", as {name} is taken"
    print_answer({"adapter": id}, [f"restored as {id}{meanwhile}"], as_json)


def entry_value(entry: ZooEntry) -> dict[str, Any]:
    """An adapter as a JSON value; without the fields of its card where the file is unreadable."""
    value: dict[str, Any] = {
        "id": entry.id,
        "file_bytes": entry.file_bytes,
        "shipped": entry.shipped,
        "refusal": entry.refusal,
    }
    if entry.card is not None:
        for name in CARD_FIELDS:
            value[name] = getattr(entry.card, name)
        value["from"] = entry.card.origin
        value["trials"] = entry.card.trials
    return value


def entry_lines(entries: Sequence[ZooEntry]) -> list[str]:
    """Adapters as the lines of a table."""
    return table([HEAD, *map(_row, entries)])


def _row(entry: ZooEntry) -> tuple[object, ...]:
    kilobytes = f"{entry.file_bytes / 1000:.0f}"
    card = entry.card
    note = entry.refusal or _note(entry)
    if card is None:
        return entry.id, "?", "?", "?", kilobytes, "", "", note
    return (
        entry.id,
        card.method,
        card.backbone,
        len(card.classes),
        kilobytes,
        in_short(card.val_accuracy, card.val_images),
        in_short(card.test_accuracy, card.test_images),
        note,
    )


def _note(entry: ZooEntry) -> str:
    """shipped, went on from lora-digits-s0"""
    words = ["shipped"] if entry.shipped else []
    if entry.card and entry.card.origin:
        words.append(f"went on from {entry.card.origin}")
    if entry.card and entry.card.tuned:
        words.append(entry.card.tuned)
    return ", ".join(words)


def _verify(zoo: Path | None, offline: bool, as_json: bool) -> None:
    """Measures each adapter again; exit code 1 if one differs from its card."""
    with open_studio(zoo, offline) as studio, Progress() as progress:
        results = [_measured_again(studio, entry, progress) for entry in studio.zoo.entries()]
    lines = table([VERIFY_HEAD, *map(_verify_row, results)]) if results else EMPTY
    print_answer(results, lines, as_json)
    if any(result["verdict"] == "differs" for result in results):
        raise typer.Exit(1)


def _measured_again(studio: "Studio", entry: ZooEntry, progress: Progress) -> dict[str, Any]:
    """What the card says and what is measured; the `verdict` may say why it cannot be measured."""
    expected = entry.card.test_accuracy if entry.card else None
    tested = entry.card.test_images if entry.card else 0
    result = {"id": entry.id, "card": expected, "card_images": tested, "now": None, "images": 0}
    try:
        score = studio.answers.verify(entry.id, progress.report)
    except PeftDemoError as error:
        return {**result, "verdict": str(error)}
    differs = expected is None or abs(score.accuracy - expected) > TOLERANCE
    result["now"] = score.accuracy
    result["images"] = score.images
    result["verdict"] = "differs" if differs else "as in its card"
    return result


def _verify_row(result: dict[str, Any]) -> tuple[object, ...]:
    card = in_short(result["card"], result["card_images"])
    measured = in_short(result["now"], result["images"])
    return result["id"], card, measured, result["images"], result["verdict"]
