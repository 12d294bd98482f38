"""The studio that answers a command."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from ..contracts.progress import Report

if TYPE_CHECKING:
    from ..studio import Studio
    from ..vit import Backbone


def add_weights(studio: "Studio", file: Path, arch: str) -> str:
    """Registers the backbone in a weights file; its name.

    What was converted or left out is printed on standard error.
    """
    card = studio.zoo.add_backbone(file, arch, pickles=True)
    for notice in card.notices:
        print(f"{file.name}: {notice}", file=sys.stderr)
    return card.name


def load_backbone(
    studio: "Studio", name: str, weights: Path | None, arch: str, size: int, report: Report
) -> "Backbone":
    """The backbone of this name, or the one in a weights file, which is registered."""
    from ..vit import load

    if weights:
        name = add_weights(studio, weights, arch or name)
    return load(name, size, home=studio.home.root, offline=studio.offline, report=report)


@contextmanager
def open_studio(zoo: Path | None = None, offline: bool = False) -> Iterator["Studio"]:
    """The studio of this machine, which may read paths.

    With `offline` nothing is looked up on the network. What libraries print meanwhile goes to
    standard error: the answer has standard output to itself.
    """
    if offline:  # both are read once, when huggingface_hub and datasets are imported
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["HF_DATASETS_OFFLINE"] = "1"
    with redirect_stdout(sys.stderr):
        from ..studio import Studio

        yield Studio(zoo=zoo, offline=offline, allow_local_paths=True)
