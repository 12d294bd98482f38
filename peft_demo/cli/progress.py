"""How far a command is, on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
from typing import TYPE_CHECKING

from ..contracts.accuracy import in_short
from ..contracts.events import (
    Evaluated,
    Event,
    Noticed,
    Progressed,
    Resumed,
    Started,
    Stepped,
    Surveyed,
    Tried,
)

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress:
    """What a run or another long task is doing. As a context it takes the bar away at its end."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._task = ""

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._close_bar()

    def report(self, what: str, fraction: float = -1.0) -> None:
        """A `contracts.progress.Report`: progress of something before or beside training."""
        if what != self._task:
            self._task = what
            form = f"{what}: {{percentage:3.0f}} %|{{bar}}|" if fraction >= 0 else what
            self._open_bar(1.0, form)
            if self._bar is None:
                self.line(what)
        self._move_to(max(fraction, 0.0))

    def show(self, event: Event) -> None:
        """Shows one event of a run."""
        match event:
            case Progressed(what, fraction):
                self.report(what, fraction)
            case Surveyed(batch, batches):
                self.report("asking which weights matter", batch / batches)
            case Noticed(_, text):
                self.line(text)
            case Resumed(step):
                self.line(f"goes on after step {step}")
            case Started():
                self._open_bar(event.steps)
            case Stepped():
                self._move_to(event.step, f"loss {event.loss:.3f}")
            case Tried():
                self.line(f"trial {event.trial} of {event.trials}: {_trial_line(event)}")
            case Evaluated():
                self.line(_validation_line(event))

    def line(self, text: str) -> None:
        """Prints a line that stays."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def _open_bar(self, total: float, form: str | None = None) -> None:
        from tqdm import tqdm

        self._close_bar()
        if sys.stderr.isatty():
            self._bar = tqdm(total=total, bar_format=form, file=sys.stderr, leave=False)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _move_to(self, place: float, note: str = "") -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(place - self._bar.n)


def _trial_line(event: Tried) -> str:
    if event.problem:
        return f"{event.settings}: failed, {event.problem}"
    best = " (best)" if event.best else ""
    accuracy = in_short(event.accuracy, event.images)
    return f"{event.settings}: accuracy {accuracy}, loss {event.loss:.3f}{best}"


def _validation_line(event: Evaluated) -> str:
    accuracy = f"validation accuracy {in_short(event.accuracy, event.images)}"
    kept = " (kept)" if event.best else ""
    return f"step {event.step}: {accuracy}, loss {event.loss:.3f}{kept}"
