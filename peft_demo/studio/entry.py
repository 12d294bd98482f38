"""One adapter file as a list shows it: its card, or why there is none."""

from pathlib import Path

from ..contracts.cards import ZooEntry
from ..contracts.errors import PeftDemoError
from ..contracts.text import is_visible, visible
from ..storage.adapter_header import read_card

SUFFIX = ".safetensors"
_RENAME = "the name of its file contains characters that cannot be seen. Rename the file."


def entry_id(path: Path) -> str:
    """The file's stem, as it can be shown."""
    return visible(path.stem) or "nameless"


def read_entry(path: Path, shipped: bool) -> ZooEntry:
    """The entry of the file; an unreadable one has its refusal, and nothing is raised."""
    try:
        size = path.stat().st_size
    except OSError as trouble:
        return ZooEntry(entry_id(path), 0, shipped, None, _unreadable(trouble))
    if not is_visible(path.stem):
        return ZooEntry(entry_id(path), size, False, None, _RENAME)
    try:
        return ZooEntry(path.stem, size, shipped, read_card(path))
    except PeftDemoError as error:
        return ZooEntry(path.stem, size, shipped, None, str(error))
    except OSError as trouble:
        return ZooEntry(path.stem, size, shipped, None, _unreadable(trouble))


def _unreadable(trouble: OSError) -> str:
    return f"the file cannot be read ({trouble.strerror})."
