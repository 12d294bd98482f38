"""File names that are no UTF-8: which encoding they were written in.

Windows writes zips in the code page of its country, and folders that were unpacked on Linux keep
those bytes. Class names are short, too short for a detector of texts: 猫 and 狗 are four bytes,
which
five encodings can read. So the encodings that people meet are ranked by how common the characters
are that they give (the first level of GB 2312, JIS X 0208 and Big5, kana, syllables of KS X 1001,
letters beside letters of their own script). Where none of them gives common characters,
charset-normalizer is asked.
"""

import codecs
import unicodedata
from collections.abc import Callable, Iterable

from ..contracts.errors import BadValue

LIKELY = ("gb18030", "cp932", "cp949", "big5", "cp1252", "cp1251", "cp866", "cp437")
"""Chinese, Japanese, Korean, Chinese (Taiwan), Western, Cyrillic (Windows, DOS), Western (DOS)."""
LANGUAGES = {
    "gb18030": "Chinese",
    "cp932": "Japanese",
    "cp949": "Korean",
    "big5": "traditional Chinese",
    "cp1252": "Western European",
    "cp1251": "Cyrillic",
    "cp866": "Cyrillic of DOS",
    "cp437": "Western European of DOS",
}
_SURE = 0.4
"""A score below this means that the encoding gives odd characters."""
_WESTERN = set("äöüßÄÖÜéèêëàâîïôûùçÉÈÀÇñáíóúÑÁÍÓÚãõåæøÅÆØìò")


def detect(names: Iterable[bytes]) -> str:
    """The encoding in which all of `names` are most likely written; "" if none can read them."""
    text = b"\n".join(names)
    scores = {name: score(text, name) for name in LIKELY}
    best = max(LIKELY, key=lambda name: scores[name])
    if scores[best] >= _SURE:
        return best
    return _ask_detector(text) or (best if scores[best] > float("-inf") else "")


def others(names: Iterable[bytes], chosen: str) -> list[str]:
    """Further encodings that give letters, likeliest first."""
    text = b"\n".join(names)
    scores = {name: score(text, name) for name in LIKELY if name != chosen}
    return sorted((n for n in scores if scores[n] >= _SURE), key=lambda n: -scores[n])


def is_likely(name: bytes, encoding: str) -> bool:
    """Whether this name gives common characters in the encoding."""
    return score(name, encoding) >= _SURE


def check_encoding(name: str) -> str:
    """The encoding's name as Python writes it; `BadValue` if there is none of that name."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        known = ", ".join(LIKELY)
        raise BadValue(f"there is no encoding {name!r:.40}.", f"For instance {known}.") from None


def score(raw: bytes, encoding: str) -> float:
    """How common the characters beyond ASCII are, 1 for common ones; minus infinity if it cannot be
    decoded."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return float("-inf")
    weigh = _WEIGHTS.get(encoding, _letter)
    total = 0.0
    count = 0
    for place, character in enumerate(text):
        if ord(character) < 128:
            continue
        code = character.encode(encoding)
        count += len(code)
        total += len(code) * weigh(text, place, code)
    if encoding == "cp949" and 0 < count <= 4:
        total *= 0.95  # one or two characters that may be Chinese as well: more people write that
    return total / count if count else 0.0


def _ask_detector(text: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(text).best()
    encoding = best.encoding if best else ""
    return "" if encoding.startswith(("utf_16", "utf_32")) else encoding


Weigh = Callable[[str, int, bytes], float]
"""(text, place of the character, its bytes) → how common it is, from -1 to 1."""


def _ideograph(common: Callable[[str, int, int], float]) -> Weigh:
    """The weight of a character of two bytes; what stands inside a Latin word is none."""

    def weigh(text: str, place: int, code: bytes) -> float:
        character = text[place]
        if unicodedata.category(character)[0] not in "LMN" or len(code) > 2:
            return -1.0
        if len(code) == 2 and any(c.isascii() and c.isalpha() for c in _beside(text, place)):
            return -1.0
        return common(character, code[0], code[-1])

    return weigh


def _chinese(character: str, lead: int, trail: int) -> float:
    if trail < 0xA1 or lead < 0xB0:
        return -0.5
    return 1.0 if lead <= 0xD7 else 0.2


def _japanese(character: str, lead: int, trail: int) -> float:
    if "\uff61" <= character <= "\uff9f":  # half-width katakana
        return -0.6
    if "\u3040" <= character <= "\u30ff":
        return 1.3
    return 0.9 if 0x88 <= lead <= 0x98 else -0.2


def _korean(character: str, lead: int, trail: int) -> float:
    common = "\uac00" <= character <= "\ud7a3" and trail >= 0xA1 and 0xB0 <= lead <= 0xC8
    return 1.05 if common else -0.5


def _taiwanese(character: str, lead: int, trail: int) -> float:
    if 0xA4 <= lead <= 0xB9:  # sorted by strokes: these have few
        return 1.0
    return 0.6 if 0xBA <= lead <= 0xC6 else -0.2


def _letter(text: str, place: int, code: bytes) -> float:
    """Of an alphabet: letters stand beside letters of their own script, capitals at the
    beginning."""
    character = text[place]
    if not character.isalpha():
        return -1.0
    script = _script(character)
    letters = [c for c in _beside(text, place) if c.isalpha()]
    weight = 0.9 if all(_script(c) == script for c in letters) else -0.8
    if character.isupper() and place and text[place - 1].islower():
        weight -= 1.2
    if script == "LATIN" and any(ord(c) > 127 for c in letters):
        weight -= 0.3
    if script == "LATIN" and character not in _WESTERN:
        weight -= 0.4
    return weight


def _beside(text: str, place: int) -> str:
    return text[max(0, place - 1) : place] + text[place + 1 : place + 2]


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


_WEIGHTS: dict[str, Weigh] = {
    "gb18030": _ideograph(_chinese),
    "cp932": _ideograph(_japanese),
    "cp949": _ideograph(_korean),
    "big5": _ideograph(_taiwanese),
}
