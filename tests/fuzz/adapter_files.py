"""Adapter files: mutated cards, headers, bytes and numbers. What import accepts, everything else
can show."""

import inspect
import json
import math
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from hypothesis import strategies as st
from PIL import Image

from peft_demo import ui
from peft_demo.cli.zoo import entry_lines, entry_value
from peft_demo.contracts.cards import Prediction
from peft_demo.contracts.errors import BadAdapter, PeftDemoError
from peft_demo.contracts.specs import PushSpec
from peft_demo.studio import Studio
from peft_demo.ui.adapters.listing import CARDS, TABLE
from peft_demo.ui.adapters.shelf import ALL, NEWEST

from .odd import VALUE, Change, changes
from .runner import REFUSED, SOUND, Judge, Kind, refused

SHIPPED = Path(__file__).parents[2] / "adapters_zoo"
QUICK = ("lora-digits-s0", "linear-digits-s0")
SLOW = ("spt-lora-digits-s0", "bi-lora-digits-s0")
"""Shipped adapters, by how long they take to load."""
CARD = "peft_demo"
KEPT = 40
"""Accepted files among which the page is opened at the end."""
EXPORTED = 5
"""One in so many accepted files is also exported, described for a push and compared with its
backbone, which takes longer."""


@dataclass(frozen=True)
class Parts:
    """A safetensors file taken apart."""

    header: dict[str, Any]
    data: bytes

    def card(self) -> Any:
        """A new copy of the card, as JSON."""
        return json.loads(self.header["__metadata__"][CARD])

    def with_card(self, card: Any) -> dict[str, Any]:
        """A new copy of the header, with this card."""
        header = json.loads(json.dumps(self.header))
        header["__metadata__"][CARD] = json.dumps(card)
        return header

    def content(self) -> bytes:
        header = json.dumps(self.header).encode()
        return struct.pack("<Q", len(header)) + header + self.data


@cache
def base(name: str) -> Parts:
    """A shipped adapter."""
    content = (SHIPPED / f"{name}.safetensors").read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return Parts(json.loads(content[8:end]), content[end:])


@dataclass(frozen=True)
class Case:
    """A shipped adapter and what is done to it, in this order."""

    name: str
    card: tuple[Change, ...] = ()
    header: tuple[Change, ...] = ()
    numbers: tuple[tuple[int, float], ...] = ()
    """(which float32 of the data, its new value), counted around; all of a tensor's size from
    there on where `filled`."""
    filled: int = 0
    bits: tuple[int, ...] = ()
    """Bits of the file that are turned, counted around."""
    cut: int | None = None
    """Bytes that are left; negative: from the end."""
    longer: bytes = b""
    text: Any = None
    """Stands for the whole card, if it is not None."""

    def content(self) -> bytes:
        parts = base(self.name)
        card = parts.card() if self.text is None else self.text
        for change in self.card:
            change.apply(card)
        header = parts.with_card(card)
        for change in self.header:
            change.apply(header)
        content = bytearray(Parts(header, self._data(parts.data)).content())
        for bit in self.bits:
            position = bit % (8 * len(content))
            content[position // 8] ^= 1 << position % 8
        return bytes(content[: self.cut]) + self.longer

    def _data(self, data: bytes) -> bytes:
        numbers = bytearray(data)
        for index, value in self.numbers:
            start = 4 * (index % (len(data) // 4))
            count = min(1 + self.filled, (len(data) - start) // 4)
            numbers[start : start + 4 * count] = struct.pack("<f", value) * count
        return bytes(numbers)


def cases() -> st.SearchStrategy[Case]:
    """Mostly changed cards, as nearly every byte of a card is somebody else's word."""
    return st.sampled_from(7 * QUICK + SLOW).flatmap(_cases_of)


def _cases_of(name: str) -> st.SearchStrategy[Case]:
    parts = base(name)
    of_name = st.just(name)
    card_change = st.lists(changes(parts.card()), min_size=1, max_size=3).map(tuple)
    header_change = st.lists(changes(parts.header), min_size=1, max_size=2).map(tuple)
    large = st.sampled_from((3e38, -3e38, 1e30, 1e20, math.nan, math.inf, 0.0, 1e-45))
    number = st.tuples(st.integers(0, 2**24), large | st.floats(width=32))
    numbers = st.lists(number, min_size=1, max_size=3).map(tuple)
    bits = st.lists(st.integers(0, 2**24) | st.integers(0, 2**15), min_size=1, max_size=4)
    cards = st.builds(Case, of_name, card=card_change)
    return (
        cards
        | cards
        | cards
        | st.builds(Case, of_name, header=header_change)
        | st.builds(Case, of_name, card=card_change, header=header_change)
        | st.builds(Case, of_name, numbers=numbers, filled=st.sampled_from((0, 0, 100, 10**6)))
        | st.builds(Case, of_name, bits=bits.map(tuple))
        | st.builds(Case, of_name, cut=st.integers(-2000, 2**16))
        | st.builds(Case, of_name, longer=st.binary(min_size=1, max_size=20))
        | st.builds(Case, of_name, text=VALUE)
    )


@dataclass(frozen=True)
class _Selected:
    """Stands in for Gradio's event when a card is pressed."""

    value: str


class _Home:
    """A studio into which cases are imported, and a page that shows them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.studio = Studio(folder / "home", offline=True, device="cpu", shipped=folder / "none")
        self.studio.home.zoo.mkdir(parents=True)
        picture = BytesIO()
        Image.radial_gradient("L").convert("RGB").save(picture, "PNG")
        self.picture = picture.getvalue()
        page, _ = ui.build(self.studio)
        handlers = [inspect.unwrap(handler.fn) for handler in page.fns.values() if handler.fn]
        self.handlers = {f"{fn.__module__}.{fn.__name__}": fn for fn in handlers}
        self.accepted = 0

    def judge(self, case: Case) -> str:
        path = self.folder / "case.safetensors"
        path.write_bytes(case.content())
        try:
            id = self.studio.zoo.take(path)
        except BadAdapter as error:
            self._list_broken(path)
            return refused(error)
        self._show(id)
        if self.accepted % EXPORTED == 0:
            self._export(id)
            self._compare(id)
        file = self.studio.zoo.file(id)
        if self.accepted < KEPT:
            file.rename(self.folder / f"kept-{self.accepted}.safetensors")
        else:
            file.unlink()
        self.accepted += 1
        return SOUND

    def _list_broken(self, path: Path) -> None:
        """A listing survives a file that was copied into the zoo by hand."""
        copy = self.studio.home.zoo / "broken.safetensors"
        path.rename(copy)
        self._list()
        self._ask_page("adapters.open_adapter", _Selected("broken"))
        copy.unlink()

    def _list(self) -> None:
        entries = self.studio.zoo.entries()
        "\n".join(entry_lines(entries)).encode()
        json.dumps([entry_value(entry) for entry in entries], allow_nan=False).encode()
        json.dumps(self.handlers["peft_demo.ui.api.adapters"](), allow_nan=False).encode()
        for view in (CARDS, TABLE):
            self._ask_page("adapters.list_adapters", ALL, ALL, "", NEWEST, view, ())

    def _ask_page(self, name: str, *arguments: Any) -> None:
        """What a handler of the page makes of it, as a browser would get it."""
        updates = self.handlers[f"peft_demo.ui.{name}"](*arguments)
        if isinstance(updates, dict):
            for part, value in updates.items():
                if isinstance(part, gr.components.Component) and not isinstance(value, Block):
                    part.postprocess(value)

    def _show(self, id: str) -> None:
        zoo = self.studio.zoo
        self._list()
        self._ask_page("adapters.open_adapter", _Selected(id))
        _answered(lambda: self._ask_page("links.train_like", id))
        _answered(lambda: zoo.card(id).command().encode())
        _answered(lambda: zoo.samples(id))
        if not zoo.entry(id).refusal:
            _answered(lambda: self._classify(id))

    def _export(self, id: str) -> None:
        _answered(lambda: self.studio.hub.preview(PushSpec((id,), "me/a")).card.encode())
        out = self.folder / "peft"
        if _answered(lambda: self.studio.zoo.export(id, "peft", out)):
            shutil.rmtree(out)

    def _compare(self, id: str) -> None:
        def compare() -> None:
            result = self.studio.zoo.changes(id)
            json.dumps(result.to_json(), allow_nan=False)
            self._ask_page("adapters.changed.compare", id, None)

        _answered(compare)

    def _classify(self, id: str) -> None:
        (alone,) = self.studio.answers.classify(self.picture, [id])
        (mixed,) = self.studio.answers.predict([self.picture], [id])
        for prediction in (alone, mixed):
            _check_finite(prediction)

    def close(self) -> None:
        """The page opens over a zoo of accepted files."""
        for file in self.folder.glob("kept-*.safetensors"):
            file.rename(self.studio.home.zoo / file.name)
        self._list()
        ui.build(self.studio)[0].get_config_file()
        ui.warm_up(self.studio)
        self.studio.close()


def _check_finite(prediction: Prediction) -> None:
    values = [probability for _, probability in prediction.top]
    if not values or not all(math.isfinite(value) for value in values):
        raise AssertionError(f"an answer that is none: {prediction}")


def _answered(ask: Any) -> bool:
    """Whether there is an answer, and not a refusal in a sentence."""
    try:
        ask()
    except PeftDemoError as error:
        return refused(error) != REFUSED
    return True


@contextmanager
def _open(folder: Path) -> Iterator[Judge]:
    home = _Home(folder)
    yield home.judge
    home.close()


KIND = Kind("adapter files", cases, _open)
