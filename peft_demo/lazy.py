"""Modules that take seconds to import (torch, timm and what stands on them), loaded when something
is first asked of them.

    timm = LazyModule("timm")                                   # in a file that may never need it
    __getattr__ = lazy_names(__name__, {".seam": ["Delta"]})    # in the face of a room

A type checker is told the real thing, by the same import under `if TYPE_CHECKING:`. Threads may ask
at once: one imports and the others wait, and what the import raises, each of them gets. Python's
own locks, one a module, are not enough: where two threads begin at two ends of what imports each
other, one of them is handed a module that is not complete.
"""

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import resolve_name
from threading import RLock
from types import ModuleType
from typing import Any

_one_at_a_time = RLock()


def load_module(name: str, package: str | None = None) -> ModuleType:
    """As `importlib.import_module`, by one thread at a time."""
    name = resolve_name(name, package)
    with _one_at_a_time:
        if name not in sys.modules:
            with _without_collector():
                import_module(name)
        return import_module(name)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Importing torch and timm makes 400,000 objects that stay. Python's garbage collector would
    look through them again and again: it rests meanwhile, and leaves them alone afterwards.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


class LazyModule:
    """Stands for the module of that name until something is asked of it."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(load_module(self._name), attribute)


def lazy_names(package: str, names: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """A `__getattr__` for a package (PEP 562) that takes names from its files: file → its names.

    No file may be called as one of the names: once imported, it would stand in its place.
    """
    files = {name: file for file, own in names.items() for name in own}

    def take(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(load_module(files[name], package), name)

    return take
