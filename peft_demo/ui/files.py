"""Files that the page hands out."""

from pathlib import Path

from gradio import processing_utils
from gradio.utils import get_upload_folder

SAVE_AS = """const saveAs = (address, name) => {
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
}
"""
"""JavaScript that defines a function: the browser saves what is at an address under a name."""


def offer(file: Path) -> str:
    """A copy of the file where Gradio may show it; nothing else of the machine
    is ever handed out.
    """
    return processing_utils.save_file_to_cache(file, get_upload_folder())


def hand_out(name: str, content: bytes) -> str:
    """A new file where Gradio may show it, called `name` by the browser that fetches it."""
    return processing_utils.save_bytes_to_cache(content, name, get_upload_folder())
