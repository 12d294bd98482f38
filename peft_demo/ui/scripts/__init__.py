"""The page's own scripts, one file each."""

from pathlib import Path


def script(name: str) -> str:
    """The text of `NAME.js`."""
    return Path(__file__).with_name(f"{name}.js").read_text("utf-8")
