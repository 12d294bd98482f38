"""A Hugging Face Space of the adapter's own: a folder with one page that answers, and all it needs.

It runs on a free CPU, or on any machine as `python app.py`: the model is the ONNX file, which takes
pictures as they are, so nothing of torch or of this project is needed there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from ...contracts.adapter_card import AdapterCard
from ...contracts.cards import Sample
from ...contracts.errors import CannotExport
from ...storage.atomic import write_folder
from ...storage.names import slug
from ..model_card import TAG
from ..onnx_file import onnx_file
from . import Export, Subject

PACKAGES = ("gradio", "numpy", "onnxruntime", "pillow")
"""What the page imports; the folder pins the versions that are installed here."""
MOST_SAMPLES = 10
"""What Gradio shows on one page."""


@dataclass(frozen=True)
class SpaceFolder:
    """The content of every file by its name, and how well the model in it was seen to answer."""

    content: dict[str, bytes]
    checked: tuple[str, ...]


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards, which is a Space. Raises `CannotExport`."""
    folder = space_folder(subject, subject.samples())
    write_folder(out, folder.content)
    return (
        *folder.checked,
        "try it in that folder: pip install -r requirements.txt && python app.py",
        f"publish it from there: hf upload YOU/{slug(subject.card.name)} . --repo-type space",
    )


def space_folder(subject: Subject, samples: Sequence[Sample], licence: str = "") -> SpaceFolder:
    """A Space that shows these pictures as samples. Raises `CannotExport`."""
    pinned = _pinned()
    made = onnx_file(subject)
    content = {
        "README.md": _readme(subject.card, pinned["gradio"], licence).encode(),
        "app.py": files("peft_demo.studio.space_folder").joinpath("app.py").read_bytes(),
        "model.onnx": made.content,
        "requirements.txt": "".join(f"{name}=={pinned[name]}\n" for name in PACKAGES).encode(),
        **_pictures(samples),
    }
    return SpaceFolder(content, made.checked)


def _pinned() -> dict[str, str]:
    try:
        return {name: version(name) for name in PACKAGES}
    except PackageNotFoundError as missing:
        raise CannotExport(
            f"a Space of its own needs the package {missing.name}.",
            f"Run `pip install {missing.name}`.",
        ) from None


def _pictures(samples: Sequence[Sample]) -> dict[str, bytes]:
    """File name → content, of pictures to try it on."""
    return {
        f"sample-{number:02}.{_kind(sample.picture)}": sample.picture
        for number, sample in enumerate(samples[:MOST_SAMPLES])
    }


def _kind(picture: bytes) -> str:
    return "png" if picture.startswith(b"\x89PNG") else "jpg"


def _readme(card: AdapterCard, gradio: str, licence: str) -> str:
    """The settings of the Space. Of the card, which may be a stranger's, it has only a tidied name
    and numbers.
    """
    name = slug(card.name)
    licensed = f"license: {licence}\n" if licence else ""
    return f"""---
title: {name}
emoji: 🧩
colorFrom: gray
colorTo: green
sdk: gradio
sdk_version: {gradio}
app_file: app.py
pinned: false
{licensed}tags:
- {TAG}
---
# {name}

Tells {len(card.classes)} classes apart: a {card.method} adapter of PEFT Demo, with its backbone in
`model.onnx`. `python app.py` runs the same page on any machine.
"""


SPACE = Export("space", write)
