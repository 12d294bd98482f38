"""Files that the page hands out."""

from pathlib import Path

from gradio import processing_utils
from gradio.utils import get_upload_folder


def offer(file: Path) -> str:
    """A copy of the file where Gradio may show it; nothing else of the machine
    is ever handed out.
    """
    return processing_utils.save_file_to_cache(file, get_upload_folder())
