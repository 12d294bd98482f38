"""Ctrl-C that asks a command to come to a good end."""

import signal
from types import FrameType


class FirstInterrupt:
    """A context in which the first Ctrl-C sets `came`. A second is a `KeyboardInterrupt`.

    Nothing is interrupted halfway: the command looks at `came` where it can stop. In a shell's
    background job, where Ctrl-C is ignored, it stays ignored. For the main thread only.
    """

    def __init__(self) -> None:
        self.came = False
        self._before = signal.getsignal(signal.SIGINT)

    def __enter__(self) -> "FirstInterrupt":
        if self._before != signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        signal.signal(signal.SIGINT, self._before)
