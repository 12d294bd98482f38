"""What a page shows already, so that a refresh sends only what differs, and what its person has
chosen to look at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .curves import STEPS
from .run_list import NEWEST


@dataclass(frozen=True)
class Choice:
    """What a person has chosen to look at."""

    run: str = ""
    """An older run; "" follows the newest."""
    compare: Sequence[str] = ()
    words: str = ""
    """What the runs in the list have to say."""
    sort: str = NEWEST
    axis: str = STEPS
    log: bool = False
    opened: Collection[str] = ()
    """What is folded away on the page and has been opened."""
    blocked: str = ""
    """Why nothing can be started, "" if something can."""


@dataclass
class Seen:
    """What a page shows already."""

    values: dict[str, Any] = field(default_factory=dict)
    """Part of the page → the value that it shows."""
    latest: str | None = None
    """The newest run that the page knows of, "" if there was none; None before the first refresh.
    """
    earlier: str = ""
    """The newest run when the page was opened, if it had ended by then: nobody started it here."""
    announced: dict[str, int] = field(default_factory=dict)
    """Run → number of its events whose notices have been shown."""
    was_busy: bool = False
    """Whether the page has seen a run going on."""

    def differs(self, part: str, value: Any) -> bool:
        """Whether the page does not show `value` there yet; notes that it does now."""
        if part in self.values and self.values[part] == value:
            return False
        self.values[part] = value
        return True

    def copy(self) -> "Seen":
        """A copy that can be changed while the page still has this one."""
        return replace(self, values=dict(self.values), announced=dict(self.announced))
