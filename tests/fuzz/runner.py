"""Runs the cases of a kind and counts what becomes of them."""

import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

from peft_demo.contracts.errors import PeftDemoError
from peft_demo.contracts.text import is_visible

SENTENCE_LIMIT = 800
"""Characters of a sentence with its hint."""

REFUSED = "refused"
SOUND = "accepted and sound"
WRONG = "wrong"

Judge = Callable[[Any], str]
"""case → REFUSED or SOUND; whatever it raises is wrong."""


@dataclass(frozen=True)
class Kind:
    """A kind of input: `cases` makes mutated ones, `open` a judge of them.

    `open` is given an empty folder. What it does when it closes may raise, too.
    """

    name: str
    cases: Callable[[], SearchStrategy]
    open: Callable[[Path], AbstractContextManager[Judge]]
    share: int = 120
    """Cases that the default tests try."""


@dataclass
class Report:
    """How many cases came out how, and one example of each way to be wrong."""

    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """Where it went wrong → the case."""

    @property
    def wrong(self) -> int:
        return self.outcomes[WRONG]

    def add(self, case: Any, judge: Judge) -> None:
        try:
            outcome = judge(case)
        except Exception as error:
            self.add_wrong(case, error)
        else:
            self.outcomes[outcome] += 1

    def add_wrong(self, case: Any, error: Exception) -> None:
        self.outcomes[WRONG] += 1
        self.examples.setdefault(_place(error), f"{case!r:.600}")

    def lines(self) -> list[str]:
        """The counts, and below them what was wrong."""
        counts = ", ".join(f"{self.outcomes[name]} {name}" for name in (REFUSED, SOUND, WRONG))
        lines = [f"{self.kind}: {self.outcomes.total()} tried, {counts}"]
        for place, case in self.examples.items():
            lines += [f"  {place}", f"    {case}"]
        return lines


def kinds() -> dict[str, Kind]:
    """Every kind by name: the `KIND` of each file of this folder that has one."""
    package = __name__.rpartition(".")[0]
    files = [f"{package}.{module.name}" for module in iter_modules([str(Path(__file__).parent)])]
    modules = [import_module(name) for name in files if not name.endswith("__main__")]
    found = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.name: kind for kind in found}


def run(kind: Kind, cases: int, seed: int) -> Report:
    """What becomes of `cases` cases; the same seed makes the same ones."""
    report = Report(kind.name)
    with TemporaryDirectory() as folder:
        try:
            with kind.open(Path(folder)) as judge:
                _try_all(kind, cases, seed, lambda case: report.add(case, judge))
        except Exception as error:
            report.add_wrong("at the end, all that was accepted", error)
    return report


def refused(error: PeftDemoError) -> str:
    """REFUSED, once the sentence has been looked at."""
    sentence = str(error)
    if not sentence or len(sentence) > SENTENCE_LIMIT or not is_visible(sentence):
        raise AssertionError(f"not a sentence to show: {sentence[:SENTENCE_LIMIT]!r}")
    return REFUSED


def _try_all(kind: Kind, cases: int, seed: int, try_one: Callable[[Any], None]) -> None:
    @seeded(seed)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(kind.cases())
    def all_cases(case: Any) -> None:
        try_one(case)

    all_cases()


def _place(error: Exception) -> str:
    """The error, and the last line of the project that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "peft_demo" in frame.filename] or frames
    last = own[-1]
    where = f"{Path(last.filename).parent.name}/{Path(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} at {where}: {error!s:.200}"
