"""Pictures that a browser cannot show (TIFF, HEIC) are shown as a copy and asked about as they
are.
"""

from collections import OrderedDict
from pathlib import Path
from threading import Lock

from ...contracts.service import Data
from ..files import hand_out

KEPT = 1000
"""Copies whose original is known."""
_ORIGINALS: OrderedDict[str, Path] = OrderedDict()
_LOCK = Lock()


def shown(file: Path, data: Data) -> Path:
    """The file, or a copy of it that every browser shows. `BadImage` says why it cannot be read."""
    copy = data.browser_copy(file)
    if not copy:
        return file
    suffix = ".png" if copy.startswith(b"\x89PNG") else ".jpg"
    path = hand_out(f"{file.stem}{suffix}", copy)
    with _LOCK:
        _ORIGINALS[path] = file
        while len(_ORIGINALS) > KEPT:
            _ORIGINALS.popitem(last=False)
    return Path(path)


def original(path: str) -> str:
    """What the shown file is a copy of, or itself."""
    return str(_ORIGINALS.get(path, path))
