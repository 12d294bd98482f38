"""Every error a person can meet, each one a sentence that says what came, what was expected and what to do.

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
├── Busy             another training run holds the machine
├── HubTrouble       the Hugging Face Hub refused, or could not be reached
├── CannotWrite      a full disk, a folder that may not be written
└── NotAllowed       switched off here (offline, no local paths, read-only zoo)
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PeftDemoError(Exception):
    """A sentence for the person in front of the screen; `hint` is the next step, if there is one."""

    def __init__(self, sentence: str, hint: str = ""):
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()


class UnknownName(PeftDemoError):
    """No such thing; offers the nearest name. `kind` is a noun: "method", "dataset", ..."""

    def __init__(self, kind: str, name: str, available: Iterable[str]):
        names = sorted(available)
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"available: {', '.join(names) or 'none'}."
        super().__init__(f"no {kind} {name!r};", hint)


class BadValue(PeftDemoError):
    pass


class BadImage(PeftDemoError):
    pass


class BadData(PeftDemoError):
    pass


class BadBackbone(PeftDemoError):
    pass


class BadAdapter(PeftDemoError):
    pass


class WrongBackbone(BadAdapter):
    pass


class CannotMerge(PeftDemoError):
    pass


class CannotExport(PeftDemoError):
    pass


class TrainingFailed(PeftDemoError):
    pass


class Busy(PeftDemoError):
    pass


class HubTrouble(PeftDemoError):
    pass


class CannotWrite(PeftDemoError):
    pass


class NotAllowed(PeftDemoError):
    pass
