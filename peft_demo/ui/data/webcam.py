"""Photos from the webcam of a class card, as the camera saw them.

Gradio's Gallery stores the mirror image that it shows while filming, and cannot be told not to. It
gives the file a name of its own, by which such a photo is known.
"""

from pathlib import Path

from PIL import Image, ImageOps

MIRRORED = "webcam_upload"
"""Stem of the file that the Gallery makes."""


def unmirrored(photo: Path) -> Path:
    """The photo itself, or where the Gallery has mirrored it, a file beside it that is right."""
    if photo.stem != MIRRORED:
        return photo
    right = photo.with_name("webcam.png")
    with Image.open(photo) as image:
        ImageOps.mirror(image).save(right)
    return right
