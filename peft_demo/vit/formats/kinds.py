"""What a weights file is, by its first bytes and not by its name."""

import zipfile
from pathlib import Path

from ...contracts.errors import BadBackbone
from ...storage.header import open_binary

SAFETENSORS = "safetensors"
NPZ = "npz"
PICKLE = "pickle"

_JSON = ("JSON and not weights", "Of a checkpoint in several files, save the whole model in one.")
_OTHERS = {
    b"\x89HDF": ("an HDF5 file, as TensorFlow and Keras write", "transformers can convert it."),
    b"version https://git-lfs": (
        "a pointer of git-lfs and not the weights themselves",
        "Run `git lfs pull`, or download the file on its page.",
    ),
    b"<": ("a web page and not weights", "Download the file itself."),
    b'{"': _JSON,
    b"{\n": _JSON,
    b"GGUF": ("a GGUF file of a language model", "Bring a Vision Transformer as safetensors."),
}
"""First bytes → what the file is, and what to do."""


def kind_of(file: Path) -> str:
    """`SAFETENSORS`, `NPZ` or `PICKLE`; `BadBackbone` names what else it is.

    A file that looks like nothing known counts as safetensors, whose reader says what is wrong.
    """
    start = _start(file)
    if not start:
        raise BadBackbone(f"{file.name} is empty.", "Download or copy it again.")
    if zipfile.is_zipfile(file):
        return _kind_of_zip(file)
    if start[:1] == b"\x80":
        return PICKLE
    for first, (description, hint) in _OTHERS.items():
        if start.startswith(first):
            raise BadBackbone(f"{file.name} is {description}.", hint)
    return SAFETENSORS


def _start(file: Path) -> bytes:
    with open_binary(file, BadBackbone) as opened:
        return opened.read(64)


def _kind_of_zip(file: Path) -> str:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    if any(name.endswith("data.pkl") for name in names):
        return PICKLE
    if names and all(name.endswith(".npy") for name in names):
        return NPZ
    raise BadBackbone(f"{file.name} is a zip without weights.", "Unpack it first.")
