"""A knob is a dataclass field with a label and a range; forms, flags, cards and tests are drawn from it.

    @dataclass(frozen=True)
    class Config:
        rank: int = knob(8, "Rank", low=1, high=256, info="width of the bottleneck")

The default stands once, in the dataclass. `knobs(Config)` lists them, `build(Config, values)` checks values from
anywhere (form, command line, adapter card) and returns the frozen config or raises `BadValue` with a sentence.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from math import isfinite
from typing import Any

from .errors import BadValue, UnknownName


@dataclass(frozen=True)
class Knob:
    """One setting. `kind` is "int", "float", "bool", "choice" (one of) or "choices" (some of, at least one)."""

    name: str
    label: str
    kind: str
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple = ()
    info: str = ""
    advanced: bool = False

    def check(self, value: Any) -> Any:
        """`value` (or its text from a command line) as this knob's type; `BadValue` if it does not fit."""
        value = _parse(self, value) if isinstance(value, str) and self.kind != "choice" else value
        return _CHECKS[self.kind](self, value)

    def ends(self) -> tuple:
        """The two extreme values, for a form's slider and for the law that both must work."""
        if self.kind == "bool":
            return False, True
        if self.kind == "choice":
            return self.choices[0], self.choices[-1]
        if self.kind == "choices":
            return self.choices[:1], self.choices
        return self.low, self.high


def knob(
    default,
    label: str,
    *,
    low=None,
    high=None,
    choices: Iterable = (),
    info: str = "",
    advanced: bool = False,
):
    """A dataclass field that is a knob. Numbers need `low` and `high`; a tuple default means "some of `choices`"."""
    choices = tuple(choices)
    kind = _kind(default, choices)
    if kind in ("int", "float") and (low is None or high is None):
        raise TypeError(f"the knob {label!r} needs low and high")
    about = {"label": label, "kind": kind, "low": low, "high": high}
    return field(
        default=default,
        metadata={"knob": about | {"choices": choices, "info": info, "advanced": advanced}},
    )


def knobs(config: type) -> tuple[Knob, ...]:
    """The knobs of a dataclass, in the order they were written."""
    found = (f for f in fields(config) if "knob" in f.metadata)
    return tuple(
        Knob(name=f.name, default=f.default, **f.metadata["knob"])
        for f in found
        if f.default is not MISSING
    )


def build(config: type, values: Mapping[str, Any] | None = None):
    """A frozen `config` from `values`, missing ones at their default. `BadValue` or `UnknownName` if not."""
    known = {k.name: k for k in knobs(config)}
    for name in values or {}:
        if name not in known:
            raise UnknownName("knob", name, known)
    return config(**{name: known[name].check(value) for name, value in (values or {}).items()})


def parse_settings(settings: Iterable[str]) -> dict[str, str]:
    """["rank=4", "targets=q,v"] → {"rank": "4", "targets": "q,v"}, as the command line's `--set` gives them."""
    pairs = [s.partition("=") for s in settings]
    for name, equals, _ in pairs:
        if not equals:
            raise BadValue(
                f"--set takes knob=value, got {name!r}.", "Try for instance --set rank=4."
            )
    return {name.strip(): value.strip() for name, _, value in pairs}


def _kind(default, choices) -> str:
    if isinstance(default, tuple):
        return "choices"
    if choices:
        return "choice"
    return {bool: "bool", int: "int", float: "float"}[type(default)]


def _parse(knob: Knob, text: str):
    try:
        match knob.kind:
            case "bool":
                return {
                    "true": True,
                    "yes": True,
                    "1": True,
                    "false": False,
                    "no": False,
                    "0": False,
                }[text.lower()]
            case "choices":
                return tuple(part.strip() for part in text.split(",") if part.strip())
            case kind:
                return {"int": int, "float": float}[kind](text)
    except (KeyError, ValueError):
        raise BadValue(f"{knob.name} takes {_expected(knob)}, got {text!r}.") from None


def _expected(knob: Knob) -> str:
    if knob.kind in ("choice", "choices"):
        return (
            f"{'one' if knob.kind == 'choice' else 'some'} of {', '.join(map(str, knob.choices))}"
        )
    if knob.kind == "bool":
        return "true or false"
    return (
        f"{'a whole number' if knob.kind == 'int' else 'a number'} from {knob.low} to {knob.high}"
    )


def _refuse(knob: Knob, value):
    raise BadValue(f"{knob.name} takes {_expected(knob)}, got {value!r}.")


def _number(knob: Knob, value):
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        _refuse(knob, value)
    if not knob.low <= value <= knob.high or (knob.kind == "int" and value != int(value)):
        _refuse(knob, value)
    return int(value) if knob.kind == "int" else float(value)


def _bool(knob: Knob, value):
    return value if isinstance(value, bool) else _refuse(knob, value)


def _choice(knob: Knob, value):
    found = [c for c in knob.choices if c == value or str(c) == value]
    return found[0] if found else _refuse(knob, value)


def _choices(knob: Knob, value):
    if (
        not isinstance(value, list | tuple)
        or not value
        or any(v not in knob.choices for v in value)
    ):
        _refuse(knob, value)
    return tuple(c for c in knob.choices if c in value)


_CHECKS = {"int": _number, "float": _number, "bool": _bool, "choice": _choice, "choices": _choices}
