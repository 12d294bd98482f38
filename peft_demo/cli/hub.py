"""`push`, `search` and `pull`: adapters on the Hugging Face Hub."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from ..contracts.cards import SharedRepo, UploadPreview
from ..contracts.errors import PeftDemoError
from ..contracts.specs import PushSpec
from .options import Json, Zoo
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table
from .zoo import entry_lines, entry_value

if TYPE_CHECKING:
    from ..studio import Studio


def push(
    adapters: Annotated[
        list[str] | None, Argument(metavar="ADAPTER", help="Of the zoo, or files.")
    ] = None,
    *,
    repo: Annotated[str, Argument(metavar="REPO", help="OWNER/NAME on the Hub; made if need be.")],
    every: Annotated[bool, Option("--all", help="All adapters of your own zoo.")] = False,
    private: Annotated[bool, Option("--private", help="Only you will see the repository.")] = False,
    licence: Annotated[
        str, Option(metavar="NAME", help="As the Hub writes it; the backbone's if left out.")
    ] = "",
    thumbnail: Annotated[
        bool,
        Option(
            "--thumbnail",
            help="Send pictures too: the small training image in the file; samples for a Space.",
        ),
    ] = False,
    space: Annotated[
        bool,
        Option("--space", help="Make a Space of the adapter, a page that answers on a free CPU."),
    ] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would become public, and send nothing.")
    ] = False,
    yes: Annotated[bool, Option("--yes", help="Send without asking.")] = False,
    zoo: Zoo = None,
    as_json: Json = False,
) -> None:
    """Put adapters on the Hub, with a model card. Shows what becomes public before it asks."""
    with open_studio(zoo) as studio, Progress() as progress:
        ids = [studio.zoo.find(adapter) for adapter in adapters or ()]
        if every:
            ids += _own_adapters(studio)
        spec = PushSpec(tuple(dict.fromkeys(ids)), repo, private, licence, thumbnail, space)
        preview = studio.hub.preview(spec)
        if not dry_run:
            progress.line("\n".join(_preview_lines(preview)))
            if not yes and not typer.confirm("Send this to the Hub?", err=True):
                raise PeftDemoError("nothing was sent.")
            address = studio.hub.push(spec, report=progress.report, agreed=preview.digest)
            value = {"url": address}
            lines = [address]
        else:
            value = vars(preview)
            lines = _preview_lines(preview)
    print_answer(value, lines, as_json)


def _own_adapters(studio: "Studio") -> list[str]:
    return [entry.id for entry in studio.zoo.entries() if entry.card and not entry.shipped]


def _preview_lines(preview: UploadPreview) -> list[str]:
    files = table((name, f"{size:,} bytes") for name, size in preview.files)
    return [
        f"To {preview.repo}:",
        *files,
        "",
        "What can be read from it:",
        *preview.disclosures,
        "",
        "README.md:",
        preview.card,
    ]


def search(
    words: Annotated[
        str, Argument(metavar="WORDS", help="Of the repository's name; all if left out.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Look on the Hub for repositories with adapters, those for your backbones first."""
    with open_studio() as studio:
        found = studio.hub.search(words)
    rows = [(repo.repo, ", ".join(repo.methods), _fits(repo), repo.downloads) for repo in found]
    lines = table([("REPO", "METHODS", "BACKBONES HERE", "DOWNLOADS"), *rows])
    hint = "Take them with `python -m peft_demo pull REPO`." if found else "Nothing is found."
    print_answer([vars(repo) for repo in found], [*lines, "", hint] if found else [hint], as_json)


def _fits(repo: SharedRepo) -> str:
    return ", ".join(repo.backbones) or "none"


def pull(
    repo: Annotated[str, Argument(metavar="REPO", help="OWNER/NAME on the Hub.")],
    names: Annotated[
        list[str] | None, Argument(metavar="NAME", help="Which of its adapters.")
    ] = None,
    every: Annotated[bool, Option("--all", help="All that are in it.")] = False,
    revision: Annotated[
        str, Option(metavar="REV", help="Branch, tag or commit; the latest if left out.")
    ] = "",
    zoo: Zoo = None,
    as_json: Json = False,
) -> None:
    """Take adapters from a repository of the Hub; of several, lists them unless told which."""
    with open_studio(zoo) as studio, Progress() as progress:
        asks_which = not names and not every
        entries = studio.hub.adapters(repo, revision) if asks_which else ()
        ids: Sequence[str] = ()
        if len(entries) < 2:
            ids = studio.hub.pull(repo, names or (), revision, report=progress.report)
    if ids:
        print_answer({"adapters": ids}, [f"{id} is in the zoo now." for id in ids], as_json)
    else:
        values = [entry_value(entry) for entry in entries]
        lines = [*entry_lines(entries), "name some of them, or take them --all."]
        print_answer(values, lines, as_json)
