"""Every error a person can meet.

Each is a sentence that says what came, what was expected and what to do.

PeftDemoError
├── UnknownName      no such method, dataset, backbone or adapter
├── BadValue         a setting out of range, an impossible combination
├── BadImage         bytes that are not a picture we can read
├── BadData          a dataset that cannot be trained on
├── BadBackbone      weights that are not the Vision Transformer they claim to be
├── BadAdapter       an adapter file that is truncated, hostile or ill-formed
│   └── WrongBackbone    a good adapter, made for another backbone
├── CannotMerge      the method (or this backbone) has no merged form
├── CannotExport     another format has no place for what this adapter does
├── TrainingFailed   a loss that is not finite, memory that ran out
├── CannotResume     a run that has ended, or whose state or images are no longer what they were
├── Busy             another run holds the machine or the folder
├── HubTrouble       the Hugging Face Hub refused, or could not be reached
├── CannotWrite      a full disk, a folder that may not be written
└── NotAllowed       switched off here (offline, no local paths, read-only zoo)
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from .text import quoted


class PeftDemoError(Exception):
    """A sentence for the person in front of the screen.

    `hint` is the next step, "" if there is none.
    """

    def __init__(self, sentence: str, hint: str = ""):
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes whole from another process, whatever its kind is made from."""
        return _again, (type(self), self.sentence, self.hint)


def _again(kind: type[PeftDemoError], sentence: str, hint: str) -> PeftDemoError:
    error = kind.__new__(kind)
    PeftDemoError.__init__(error, sentence, hint)
    return error


class UnknownName(PeftDemoError):
    """There is nothing of that name; the hint offers the nearest one.

    `kind` is a noun: "method", "dataset", ...
    """

    def __init__(self, kind: str, name: str, available: Iterable[str]):
        names = sorted(available)
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"available: {', '.join(names) or 'none'}."
        super().__init__(f"no {kind} {quoted(name)};", hint)


class BadValue(PeftDemoError):
    """A setting is out of range, or a combination is impossible."""


class BadImage(PeftDemoError):
    """These bytes are not a picture that can be read."""


class BadData(PeftDemoError):
    """This dataset cannot be trained on."""


class BadBackbone(PeftDemoError):
    """These weights are not the Vision Transformer they claim to be."""


class BadAdapter(PeftDemoError):
    """This adapter file is truncated, hostile or ill-formed."""


class WrongBackbone(BadAdapter):
    """This adapter is sound, but it was made for another backbone."""


class CannotMerge(PeftDemoError):
    """The method, or this backbone, has no merged form."""


class CannotExport(PeftDemoError):
    """The other format has no place for what this adapter does."""


class TrainingFailed(PeftDemoError):
    """The loss is not finite, or memory ran out."""


class CannotResume(PeftDemoError):
    """This run has ended, or what it needs to go on is damaged or has changed."""


class Busy(PeftDemoError):
    """Somebody else is using what only one may use at a time."""


class HubTrouble(PeftDemoError):
    """The Hugging Face Hub refused, or could not be reached."""


class CannotWrite(PeftDemoError):
    """The disk is full, or the folder may not be written."""


class NotAllowed(PeftDemoError):
    """This is switched off here."""
