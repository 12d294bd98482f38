"""Pictures: flipped bits, cut and lengthened files, claimed sizes, under all windows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import prod
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from peft_demo.contracts.errors import BadImage
from peft_demo.contracts.window import Window
from peft_demo.data.images import decode, thumbnail
from peft_demo.data.looks import look_at
from peft_demo.data.pixels import LARGE, PixelBudget

from .runner import SOUND, Judge, Kind, refused

SIDE = 24
KINDS = (
    ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("JPEG progressive", "RGB"),
    ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("PNG", "LA"),
    ("GIF", "P"), ("WEBP", "RGB"), ("WEBP", "RGBA"), ("BMP", "RGB"), ("TIFF", "RGB"),
    ("TIFF", "F"), ("TIFF", "I;16"), ("TIFF lzw", "RGB"), ("TIFF deflate", "RGBA"),
    ("PPM", "RGB"), ("JPEG2000", "RGB"), ("AVIF", "RGB"),
)  # fmt: skip
OPTIONS = {
    "progressive": {"progressive": True},
    "lzw": {"compression": "tiff_lzw"},
    "deflate": {"compression": "tiff_adobe_deflate"},
}
WINDOWS = (Window(), Window((0.0, 255.0)), Window((-5.0, 4000.0), "black"), Window((0.0, 9.0)))


@cache
def base(kind: str, mode: str) -> bytes:
    """A small sound picture."""
    grey = np.add.outer(np.arange(SIDE), np.arange(SIDE)) * 5
    if mode in ("I;16", "F"):
        image = Image.fromarray(grey.astype(np.uint16 if mode == "I;16" else np.float32))
    else:
        image = Image.fromarray(grey.astype(np.uint8)).convert("RGB").convert(mode)
    name, _, option = kind.partition(" ")
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    more = {"exif": exif} if name in ("JPEG", "PNG", "WEBP") else {}
    image.save(file, name, **more, **OPTIONS.get(option, {}))
    return file.getvalue()


@dataclass(frozen=True)
class Case:
    """A picture with some bytes put elsewhere: (place, bytes), all counted around."""

    kind: tuple[str, str]
    window: Window
    puts: tuple[tuple[int, bytes], ...] = ()
    cut: int | None = None
    longer: bytes = b""

    def content(self) -> bytes:
        content = bytearray(base(*self.kind))
        for place, new in self.puts:
            start = place % len(content)
            content[start : start + len(new)] = new[: len(content) - start]
        return bytes(content[: self.cut]) + self.longer


def cases() -> st.SearchStrategy[Case]:
    """Mostly changes near the start, where sizes and tables stand."""
    place = st.integers(0, 120) | st.integers(0, 2**14)
    sizes = st.sampled_from((0, 1, 255, 65535, 2**31 - 1, 2**32 - 1, 9000, 30000))
    claim = st.builds(
        lambda n, order: n.to_bytes(4, order), sizes, st.sampled_from(("big", "little"))
    )
    short = sizes.map(lambda n: (n % 65536).to_bytes(2, "big"))
    new = st.binary(min_size=1, max_size=4) | claim | short
    return st.builds(
        Case,
        st.sampled_from(KINDS),
        st.sampled_from(WINDOWS),
        st.lists(st.tuples(place, new), max_size=3).map(tuple),
        st.none() | st.none() | st.integers(0, 2**11),
        st.just(b"") | st.binary(max_size=30),
    )


def judge(case: Case) -> str:
    content = case.content()
    with catch_warnings():
        simplefilter("ignore")  # Pillow warns of odd EXIF and of large headers
        try:
            look_at(content, "", case.window, PixelBudget())
            image = decode(content, case.window)
        except BadImage as error:
            return refused(error)
    if image.mode != "RGB" or image.info or prod(image.size) > LARGE:
        raise AssertionError(f"not a plain picture: {image.mode} {image.size} {image.info}")
    if not thumbnail(image).startswith(b"\xff\xd8\xff"):
        raise AssertionError("no thumbnail")
    return SOUND


@contextmanager
def _open(folder: Path) -> Iterator[Judge]:
    yield judge


KIND = Kind("images", cases, _open)
