"""A look at chosen pictures: whether they can be decoded, which are the same, what their depth and
ground need."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ..contracts.errors import BadImage
from ..contracts.progress import Report
from ..contracts.window import Window
from .dataset import Example, digest_of
from .deep_colour import is_deep_colour
from .depth import Levels, choose_values, deep_values, levels_of, suits_eight_bits
from .images import THREADS, decode, open_header
from .pixels import SET_PIXELS, PixelBudget, load, one_at_a_time
from .transparency import choose_ground, contrasts, is_transparent

TWIN_SIDE = 32
"""Pictures with fewer pixels a side are too alike by nature to tell near-duplicates."""
MAX_COMPARED = 100_000
"""Files that are read to find copies of the chosen ones."""
_BLANK = 2
"""A picture whose values differ by no more than this, of 255, shows nothing."""


@dataclass(frozen=True)
class Look:
    """What was seen of one picture."""

    digest: str
    hash: np.ndarray
    """uint64 [2], see `difference_hash`."""
    colours: np.ndarray
    """float32 [192], the picture in 8 × 8 pixels."""
    large: bool
    """Whether there are pixels enough to tell near-duplicates from pictures that are alike by
    nature."""
    levels: Levels | None = None
    """The range of values of a picture deeper than 8 bits."""
    grounds: Mapping[str, float] = field(default_factory=dict)
    """Ground colour → contrast, of a transparent picture; see `contrasts`."""
    flat: bool = False
    """Whether it is of one colour once it is plain RGB, although there is something in the file."""
    empty: bool = False
    """Whether it is all black or all white in the file already."""

    @property
    def windowed(self) -> bool:
        """Whether a window changes it."""
        return self.levels is not None or bool(self.grounds)


class Looks:
    """What was seen of the examples so far. Each is read and decoded once, and again if a window
    changes it."""

    def __init__(self, window: Window = Window(), most_pixels: int = SET_PIXELS):
        self.window = window
        self._budget = PixelBudget(most_pixels)
        self.seen: dict[Example, Look] = {}
        self._by_digest: dict[str, Look] = {}
        self._digests: dict[Example, str] = {}

    def take(self, examples: Sequence[Example], report: Report | None = None) -> dict[Example, str]:
        """Looks at the examples; gives back those that cannot be decoded, with the reason.

        Raises `BadData` if they have too many pixels together.
        """
        bad: dict[Example, str] = {}
        with ThreadPoolExecutor(THREADS) as threads:
            looks = threads.map(self._try, examples)
            for number, (example, look) in enumerate(zip(examples, looks, strict=True)):
                if report and number % 50 == 0:
                    report("checking the chosen pictures", number / len(examples))
                if isinstance(look, BadImage):
                    bad[example] = look.sentence
                else:
                    self.seen[example] = look
                    self._by_digest[look.digest] = look
        return bad

    def digest(self, example: Example) -> str:
        """The example's digest, "" if it cannot be read. Nothing is decoded."""
        if example in self.seen:
            return self.seen[example].digest
        if example not in self._digests:
            try:
                self._digests[example] = digest_of(example.read())
            except BadImage:
                self._digests[example] = ""
        return self._digests[example]

    def choose_window(self, train: Iterable[Example]) -> Window:
        """The window that suits the training pictures, where a person has not said it; used from
        then on.

        Pictures that it changes are looked at again by the next `take`.
        """
        looks = [self.seen[example] for example in train]
        levels = [look.levels for look in looks if look.levels]
        grounds = [dict(look.grounds) for look in looks if look.grounds]
        chosen = self.window.completed_by(Window(choose_values(levels), choose_ground(grounds)))
        if chosen != self.window:
            self.window = chosen
            self.seen = {e: look for e, look in self.seen.items() if not look.windowed}
            self._by_digest = {look.digest: look for look in self.seen.values()}
        return chosen

    def _try(self, example: Example) -> Look | BadImage:
        try:
            content = example.read()
            digest = digest_of(content)
            known = self._by_digest.get(digest)
            return known or look_at(content, digest, self.window, self._budget)
        except BadImage as error:
            return error


def look_at(content: bytes | Image.Image, digest: str, window: Window, budget: PixelBudget) -> Look:
    """What there is to see of a picture. Raises `BadImage`, and `BadData` if the budget is
    spent."""
    image = open_header(content)
    budget.spend(image)
    with one_at_a_time(image):
        look = _look(image, content, digest, window)
        del image  # before the next large one is decoded
    return look


def _look(image: Image.Image, content: bytes | Image.Image, digest: str, window: Window) -> Look:
    """The look at a picture whose header is open."""
    large = min(image.size) >= TWIN_SIDE
    depth = _Depth() if _is_plain(image, window) else _depth_of(open_header(content))
    # JPEG decodes to an eighth of the size: as sure to find damage, and much faster
    image.draft("RGB", (64, 64))
    plain = decode(image, window)
    extremes = np.asarray(plain.getextrema(), dtype=np.int16)
    plane = bool((extremes[:, 1] - extremes[:, 0] <= _BLANK).all())
    flat = depth.varied and plane
    empty = not flat and bool((extremes <= _BLANK).all() or (extremes >= 255 - _BLANK).all())
    colours = np.asarray(plain.resize((8, 8), Image.Resampling.BOX), dtype=np.float32).ravel()
    hashed = difference_hash(plain)
    return Look(digest, hashed, colours, large, depth.levels, depth.grounds, flat, empty)


@dataclass(frozen=True)
class _Depth:
    levels: Levels | None = None
    grounds: Mapping[str, float] = field(default_factory=dict)
    varied: bool = False
    """Whether there is something in the file: values or transparency that differ."""


def _is_plain(image: Image.Image, window: Window) -> bool:
    """Whether a picture of 8 bits without transparency, which no window changes."""
    if image.mode[0] in "IF" or is_deep_colour(image) or image.has_transparency_data:
        return False
    return not (image.mode == "L" and suits_eight_bits(window))


def _depth_of(image: Image.Image) -> _Depth:
    try:
        if not is_deep_colour(image):
            image = load(image)
        values = deep_values(image)
        if values is None and image.mode == "L":
            values = np.asarray(image, dtype=np.float32)
        levels = None if values is None else levels_of(values)
        varied = False
        if values is not None and levels is not None:
            varied = bool(np.nanmax(values) > np.nanmin(values))
        if not is_transparent(image):
            return _Depth(levels, {}, varied)
        return _Depth(levels, contrasts(image), True)
    except BadImage:
        raise
    except Exception as error:  # as in `decode`: decoders meet hostile bytes
        raise BadImage(f"this picture is cut off or damaged ({str(error)[:120]}).") from None


def difference_hash(image: Image.Image) -> np.ndarray:
    """dHash: uint64 [2], whether brightness rises from each of 8 × 8 places to the next, rightwards
    and downwards."""
    grey = np.asarray(image.convert("L").resize((9, 9), Image.Resampling.BOX), dtype=np.int16)
    right = grey[:8, 1:] > grey[:8, :-1]
    down = grey[1:, :8] > grey[:-1, :8]
    return np.packbits(np.concatenate([right, down], axis=None)).view(np.uint64)


class Peers:
    """Finds the files of a dataset that equal a chosen one, by size (and checksum), then by
    content."""

    def __init__(self, examples: Iterable[Example], looks: Looks):
        self._looks = looks
        self._left = MAX_COMPARED
        self._groups: defaultdict[tuple[int, ...], list[Example]] = defaultdict(list)
        for example in examples:
            if example.mark:
                self._groups[example.mark].append(example)

    def of_another_class(self, example: Example) -> list[Example]:
        """The examples with the same content and another label."""
        others = [e for e in self._groups.get(example.mark, ()) if e.label != example.label]
        self._left -= len(others)
        if self._left < 0:
            return []
        digest = self._looks.digest(example)
        return [other for other in others if self._looks.digest(other) == digest]
