"""Class cards that a person fills with photos on the page.

A draft is a folder of numbered class folders under the home; the names of the classes stand in
`.labels.json`, because a person may call a class anything ("7/8", "con", "..") and a folder not.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

from ...contracts.errors import BadData, UnknownName
from ...storage.home import Home
from ..arrange import arrange
from ..dataset import Dataset
from . import Request, Source
from .folder import list_folder

LABELS = ".labels.json"


def draft_folder(home: Home, draft: str) -> Path:
    """Where the draft with this id is kept; `UnknownName` for what is no id."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", draft):
        raise UnknownName("draft", draft[:64], ())
    return home.drafts / draft


def read_labels(folder: Path) -> dict[str, str]:
    """Number of the class folder → name of the class; empty where nothing is collected yet."""
    try:
        return json.loads((folder / LABELS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def locate(draft: str, home: Home | None) -> Path | None:
    """The draft's folder; `BadData` if no class has been named in it."""
    if home is None:
        return None
    folder = draft_folder(home, draft)
    if not read_labels(folder):
        raise BadData(
            "no pictures have been collected yet.",
            "Name two classes and drop some pictures on each.",
        )
    return folder


def open_draft(request: Request) -> Dataset:
    """The collected pictures, classes by the names on their cards."""
    if request.path is None:
        raise BadData(
            f"the draft {request.spec.name!r} is not here any more.", "Put the pictures in again."
        )
    labels = read_labels(request.path)
    dataset = arrange("My photos", list_folder(request.path), request.spec, request.report)
    classes = tuple(labels.get(folder, folder) for folder in dataset.classes)
    return replace(dataset, classes=classes)


DRAFT = Source("draft", open_draft, locate=locate)
