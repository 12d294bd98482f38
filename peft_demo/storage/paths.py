"""Words as paths. Whatever a person types, asking what lies there never fails.

`pathlib` raises errors of the system for words that no file can be called: too long, with a null
byte, below a folder that may not be entered, "~" of a user that there is not.
"""

import os.path
from pathlib import Path


def expanded(word: str | Path) -> Path:
    """The path that a word means; "~" is the person's home folder."""
    return Path(os.path.expanduser(word))


def is_file(path: Path) -> bool:
    """Whether there is a file to be read; a folder, a pipe or a device is none."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether there is a folder."""
    return os.path.isdir(path)


def is_there(path: Path) -> bool:
    """Whether there is anything."""
    return os.path.exists(path)
