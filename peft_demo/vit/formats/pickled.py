"""`.pth`, `.pt` and `.bin`: files of torch.save, which are pickles and may run code when they are
read.

They are read by another process that builds tensors and runs no code of the file
(`pickle_child.py`), within bounds of time and memory. This process reads only the safetensors
file that the other writes."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import load
from torch import Tensor

from ...contracts.errors import BadBackbone
from . import pickle_child

LARGEST = 8_000_000_000
"""Bytes, of the file and of the tensors in it. A ViT-g in fp32 takes 4.5 GB."""
SECONDS = 300.0
"""A ViT-g takes about 40."""
SAVE_ALONE = (
    "Where the model is at hand, save its tensors alone: "
    "`safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')`."
)


def read_pickled(file: Path, largest: int = LARGEST, seconds: float = SECONDS) -> dict[str, Tensor]:
    """The tensors of a file of torch.save, by their dotted paths; `BadBackbone` says what is
    wrong."""
    if _size(file) > largest:
        raise BadBackbone(f"{file.name} takes more than {largest / 1e9:.0f} GB.", SAVE_ALONE)
    with TemporaryDirectory() as folder:
        target = Path(folder) / "weights.safetensors"
        # -P: the folder of the child's file must not stand before the libraries.
        command = [sys.executable, "-P", pickle_child.__file__, file, target, str(largest)]
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise BadBackbone(
                f"{file.name} could not be read within {seconds:.0f} seconds.", SAVE_ALONE
            ) from None
        if child.returncode or not target.is_file():
            raise BadBackbone(f"{file.name} {_reason(child)}", SAVE_ALONE)
        return load(target.read_bytes())


def _size(file: Path) -> int:
    """Bytes of the file, or of its members when they are unpacked, if that is more."""
    packed = file.stat().st_size
    if not zipfile.is_zipfile(file):
        return packed
    with zipfile.ZipFile(file) as archive:
        return max(packed, sum(member.file_size for member in archive.infolist()))


def _reason(child: subprocess.CompletedProcess[str]) -> str:
    if child.returncode != pickle_child.REFUSED:
        return "could not be read: it takes too much memory, or is damaged."
    other_class = re.search(r"(?:Unsupported global: GLOBAL|Unsupported class) (\S+)", child.stderr)
    if other_class:
        name = other_class[1][:100]
        return f"holds more than tensors: {name}, a class whose code would have to run."
    first_line = next(iter(child.stderr.strip().splitlines()), "")
    return f"could not be read: {first_line[:100]}."
