"""What a page shows already, so that a refresh sends only what differs."""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass
class Seen:
    """What a page shows already."""

    values: dict[str, Any] = field(default_factory=dict)
    """Part of the page → the value that it shows."""
    latest: str | None = None
    """The newest run that the page knows of, "" if there was none; None before the first refresh.
    """
    announced: dict[str, int] = field(default_factory=dict)
    """Run → number of its events whose notices have been shown."""
    was_busy: bool = False
    """Whether the page has seen a run going on."""
    points_again: bool = False
    """Whether the points of the plots have to be sent once more."""

    def differs(self, part: str, value: Any) -> bool:
        """Whether the page does not show `value` there yet; notes that it does now."""
        if part in self.values and self.values[part] == value:
            return False
        self.values[part] = value
        return True

    def copy(self) -> "Seen":
        """A copy that can be changed while the page still has this one."""
        return replace(self, values=dict(self.values), announced=dict(self.announced))
