"""Checks of JSON that comes from elsewhere: an adapter's card is written by strangers, too.

A check takes a value, whatever it is, and returns it as the type that the card has; lists become
tuples. A value that does not fit raises `Unexpected`, which says what was expected instead. Nothing
else is ever raised.

    size = whole(1, 4096)
    size(224)       # 224
    size("large")   # Unexpected: a whole number from 1 to 4,096
"""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .text import is_visible

Check = Callable[[Any], Any]

DEPTH = 8
"""Lists and objects within each other, at most."""
WHOLE = 2**63 - 1
FINITE = sys.float_info.max


class Unexpected(ValueError):
    """`str(error)` is what was expected: "a whole number from 1 to 4,096"."""


def whole(low: int, high: int) -> Check:
    """A whole number; true and false are none."""

    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Unexpected(f"a whole number from {low:,} to {high:,}")
        return value

    return check


def number(low: float = -FINITE, high: float = FINITE) -> Check:
    """A finite number; true and false are none."""
    limits = "" if high == FINITE else f" from {low:g} to {high:g}"

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise Unexpected(f"a finite number{limits}")
        return value

    return check


def optional(check: Check) -> Check:
    """null, or a value that passes `check`."""

    def check_optional(value: Any) -> Any:
        return None if value is None else check(value)

    return check_optional


def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Unexpected("true or false")
    return value


def text(longest: int, pattern: str = ".*", described: str = "") -> Check:
    """Visible text of at most `longest` characters; "" unless the pattern forbids it."""
    expected = described or f"text of at most {longest:,} visible characters"

    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or not is_visible(value):
            raise Unexpected(expected)
        if not re.fullmatch(pattern, value):
            raise Unexpected(expected)
        return value

    return check


def name(longest: int) -> Check:
    """Visible text that is not blank."""
    return text(longest, r".*\S.*", f"a name of 1 to {longest:,} visible characters")


def names(longest: int) -> Check:
    """At least one name, all of them different."""
    check_name = name(longest)

    def check(values: Any) -> tuple[str, ...]:
        checked = tuple(check_name(value) for value in _items(values, "a list of names"))
        if not checked or len(set(checked)) < len(checked):
            raise Unexpected("at least one name, all of them different")
        return checked

    return check


def numbers(length: int, low: float, high: float) -> Check:
    """`length` finite numbers."""
    check_number = number(low, high)

    def check(values: Any) -> tuple[float, ...]:
        expected = f"a list of {length} numbers from {low:g} to {high:g}"
        items = _items(values, expected)
        if len(items) != length:
            raise Unexpected(expected)
        return tuple(check_number(item) for item in items)

    return check


def tuples(length: int, check_item: Check) -> Check:
    """`length` values that pass `check_item`."""

    def check(values: Any) -> tuple[Any, ...]:
        items = _items(values, f"a list of {length}")
        if len(items) != length:
            raise Unexpected(f"a list of {length}")
        return tuple(check_item(item) for item in items)

    return check


def texts(longest: int) -> Check:
    """Any number of texts."""
    check_text = text(longest)

    def check(values: Any) -> tuple[str, ...]:
        return tuple(check_text(value) for value in _items(values, "a list of texts"))

    return check


def curve(low: float = -FINITE, high: float = FINITE) -> Check:
    """Any number of points (step, value)."""
    check_step = whole(0, WHOLE)
    check_value = number(low, high)

    def check(values: Any) -> tuple[tuple[int, float], ...]:
        points = []
        for point in _items(values, "a list of points"):
            if len(_items(point, "a list of points, each [step, value]")) != 2:
                raise Unexpected("a list of points, each [step, value]")
            points.append((check_step(point[0]), check_value(point[1])))
        return tuple(points)

    return check


def settings(value: Any) -> Mapping[str, Any]:
    """An object by visible names, of finite numbers, visible text, and lists and objects of
    those."""
    if not isinstance(value, Mapping):
        raise Unexpected("an object of settings by name")
    _check_plain(value, DEPTH)
    return value


def _check_plain(value: Any, depth: int) -> None:
    if depth == 0:
        raise Unexpected(f"at most {DEPTH} lists and objects within each other")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _word(key)
            _check_plain(item, depth - 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_plain(item, depth - 1)
    elif isinstance(value, float):
        _float(value)
    elif isinstance(value, int):  # true and false too
        _long(int(value))
    elif value is not None:
        _word(value)


_word = text(500)
_long = whole(-WHOLE, WHOLE)
_float = number()


def _items(values: Any, expected: str) -> list | tuple:
    if not isinstance(values, list | tuple):
        raise Unexpected(expected)
    return values
