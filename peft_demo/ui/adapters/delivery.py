"""A file that was made when somebody asked for it, and is saved by the browser at once."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
from gradio.events import Dependency
from gradio.utils import get_upload_folder

from ..files import SAVE_AS
from ..wiring import QUEUED

SAVE = """(file) => {
  SAVE_AS
  saveAs(file.url, file.orig_name)
}""".replace("SAVE_AS", SAVE_AS)


def build() -> gr.DownloadButton:
    """What holds the file, drawn into the open context; nobody sees it."""
    return gr.DownloadButton("Download", visible="hidden")


def then_save(made: Dependency, file: gr.DownloadButton) -> None:
    """After the event, which gave `file` a file, the browser saves it."""
    made.success(None, file, None, js=SAVE, **QUEUED)


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder on this machine that is gone afterwards; `files.offer` what is to be kept."""
    root = Path(get_upload_folder())
    root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


def write_zip(target: Path, files: Mapping[str, Path]) -> Path:
    """One zip of these files, by their names in it; `target` again.

    They are stored as they are: tensors hardly shrink.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for inside, file in files.items():
            archive.write(file, inside)
    return target
