"""A knob is a dataclass field with a label and a range.

    @dataclass(frozen=True)
    class Config:
        rank: int = knob(8, "Rank", low=1, high=256, info="width of the bottleneck")

Forms, flags, cards and tests are derived from it, so the default stands once, in the dataclass.
`knobs(Config)` lists them. `check(knobs, values)` takes values from anywhere (form, command line,
adapter card) or raises `BadValue` with a sentence; `build(Config, values)` makes the frozen config
of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, NoReturn, TypeVar

from .errors import BadValue, UnknownName
from .text import quoted

Config = TypeVar("Config")
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""How a command line may write them."""


@dataclass(frozen=True)
class Knob:
    """One setting.

    `kind` is "int", "float", "bool", "choice" (one of `choices`) or "choices" (one or more of
    them).
    """

    name: str
    label: str
    kind: str
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple = ()
    info: str = ""
    advanced: bool = False
    rare: bool = False
    """Whether hardly anybody but who repeats a paper sets it: the page shows it below all else."""

    def check(self, value: Any) -> Any:
        """`value` (or its text from a command line) as this knob's type.

        Raises `BadValue` if it does not fit.
        """
        if isinstance(value, str) and self.kind != "choice":
            value = _parse(self, value)
        return _CHECKS[self.kind](self, value)

    def ends(self) -> tuple:
        """The two extreme values: the ends of a form's slider, both of which must work."""
        if self.kind == "bool":
            return False, True
        if self.kind == "choice":
            return self.choices[0], self.choices[-1]
        if self.kind == "choices":
            return self.choices[:1], self.choices
        return self.low, self.high


def knob(
    default: Any,
    label: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Iterable = (),
    info: str = "",
    advanced: bool = False,
    rare: bool = False,
) -> Any:
    """A dataclass field that is a knob.

    Numbers need `low` and `high`. A tuple as the default means "some of `choices`". What is `rare`
    is advanced, too.
    """
    choices = tuple(choices)
    kind = _kind(default, choices)
    if kind in ("int", "float") and (low is None or high is None):
        raise TypeError(f"the knob {label!r} needs low and high")
    settings = {
        "label": label,
        "kind": kind,
        "low": low,
        "high": high,
        "choices": choices,
        "info": info,
        "advanced": advanced or rare,
        "rare": rare,
    }
    return field(default=default, metadata={"knob": settings})


def knobs(config: type) -> tuple[Knob, ...]:
    """The knobs of a dataclass, in the order they were written."""
    return tuple(
        Knob(name=f.name, default=f.default, **f.metadata["knob"])
        for f in fields(config)
        if "knob" in f.metadata and f.default is not MISSING
    )


def build(config: type[Config], values: Mapping[str, Any] | None = None) -> Config:
    """A frozen `config` from `values`; those that are missing take their default.

    Raises what `check` raises.
    """
    return config(**check(knobs(config), values or {}))


def check(knobs: Iterable[Knob], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, each as the type of its knob.

    Raises `UnknownName` for a knob that is not among them, `BadValue` for a value that does not
    fit.
    """
    known = {knob.name: knob for knob in knobs}
    checked = {}
    for name, value in values.items():
        if name not in known:
            raise UnknownName("knob", name, known)
        checked[name] = known[name].check(value)
    return checked


def parse_settings(settings: Iterable[str]) -> dict[str, str]:
    """["rank=4", "targets=q,v"] → {"rank": "4", "targets": "q,v"}, from `--set` flags."""
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise BadValue(
                f"--set takes knob=value, got {name!r}.", "Try for instance --set rank=4."
            )
        values[name.strip()] = value.strip()
    return values


def _kind(default: Any, choices: tuple) -> str:
    if isinstance(default, tuple):
        return "choices"
    if choices:
        return "choice"
    return {bool: "bool", int: "int", float: "float"}[type(default)]


def _parse(knob: Knob, text: str) -> Any:
    try:
        match knob.kind:
            case "bool":
                return BOOLEANS[text.lower()]
            case "choices":
                return tuple(part.strip() for part in text.split(",") if part.strip())
            case "int":
                return int(text)
            case _:
                return float(text)
    except (KeyError, ValueError):
        _refuse(knob, text)


def _expected(knob: Knob) -> str:
    words = ", ".join(map(str, knob.choices))
    match knob.kind:
        case "choice":
            return f"one of {words}"
        case "choices":
            return f"some of {words}"
        case "bool":
            return "true or false"
        case "int":
            return f"a whole number from {knob.low} to {knob.high}"
        case _:
            return f"a number from {knob.low} to {knob.high}"


def _refuse(knob: Knob, value: Any) -> NoReturn:
    raise BadValue(f"{knob.name} takes {_expected(knob)}, got {quoted(value)}.") from None


def _number(knob: Knob, value: Any) -> int | float:
    """The range also refuses what is infinite or not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(knob, value)
    if knob.low is None or knob.high is None or not knob.low <= value <= knob.high:
        _refuse(knob, value)
    if knob.kind == "float":
        return float(value)
    if value != int(value):
        _refuse(knob, value)
    return int(value)


def _bool(knob: Knob, value: Any) -> bool:
    if not isinstance(value, bool):
        _refuse(knob, value)
    return value


def _choice(knob: Knob, value: Any) -> Any:
    for choice in knob.choices:
        if choice == value or str(choice) == value:
            return choice
    _refuse(knob, value)


def _choices(knob: Knob, value: Any) -> tuple:
    if not isinstance(value, list | tuple) or not value:
        _refuse(knob, value)
    if any(chosen not in knob.choices for chosen in value):
        _refuse(knob, value)
    return tuple(choice for choice in knob.choices if choice in value)


_CHECKS: Mapping[str, Callable[[Knob, Any], Any]] = {
    "int": _number,
    "float": _number,
    "bool": _bool,
    "choice": _choice,
    "choices": _choices,
}
