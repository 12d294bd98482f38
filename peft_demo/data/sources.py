"""One door to all datasets: a spec goes in, a labelled set of pictures comes out."""

from pathlib import Path

from ..contracts.errors import BadData, UnknownName
from ..contracts.progress import Report
from ..contracts.specs import DataSpec
from . import archive, catalogue, folder, hub
from .dataset import Dataset
from .layout import arrange


def open_dataset(
    spec: DataSpec, path: Path | None = None, *, offline: bool = False, report: Report | None = None
) -> Dataset:
    """The dataset that `spec` names, no pixel decoded yet.

    `path` is where its files are: for a draft a folder of class folders, for an upload a zip. Folders and zips may
    also be found by `spec.name` itself. Raises `UnknownName`, `BadData`, or `NotAllowed` (a Hub set when offline).
    """
    if spec.source == "bundled":
        return catalogue.load(spec.name)
    if spec.source == "hub":
        return hub.read(spec, offline=offline, report=report)
    if path is None and spec.source not in ("folder", "zip"):
        raise BadData(
            f"the {spec.source} {spec.name!r} is not here any more.", "Put the pictures in again."
        )
    path = Path(spec.name if path is None else path)
    listing = folder.listing(path) if spec.source in ("folder", "draft") else archive.listing(path)
    title = {"draft": "Class cards", "upload": "Uploaded zip"}.get(spec.source) or _title(path)
    return arrange(title, listing, report)


def parse(
    argument: str, shots: int = 16, seed: int = 0, image_column: str = "", label_column: str = ""
) -> tuple[DataSpec, Path | None]:
    """What the command line means by DATA: a bundled name, `hf:ID`, a folder or a zip ("./digits" is a folder).

    Raises `UnknownName` for a word that is none of these, `BadData` for a path that is not there or no zip.
    """
    rest = {
        "shots": shots,
        "seed": seed,
        "image_column": image_column,
        "label_column": label_column,
    }
    if argument.startswith("hf:"):
        return DataSpec("hub", argument.removeprefix("hf:"), **rest), None
    if argument in catalogue.names():
        return DataSpec("bundled", argument, **rest), None
    path = Path(argument).expanduser()
    if argument and path.is_dir():
        return DataSpec("folder", argument, **rest), path
    if path.is_file() and path.suffix.lower() == ".zip":
        return DataSpec("zip", argument, **rest), path
    if path.is_file():
        raise BadData(
            f"{argument!r} is no dataset;",
            "expected a bundled name, a folder, a .zip or hf:OWNER/NAME.",
        )
    if len(path.parts) > 1 or path.suffix:
        raise BadData(
            f"there is no file or folder {argument!r}.",
            f"Bundled sets: {', '.join(catalogue.names())}.",
        )
    raise UnknownName("dataset", argument, catalogue.names())


def _title(path: Path) -> str:
    path = path.resolve()
    return path.stem if path.suffix.lower() == ".zip" else path.name or "Folder"
