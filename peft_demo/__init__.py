"""PEFT Demo: try, compare and share parameter-efficient fine-tuning of frozen Vision Transformers.

The library is six names, loaded when the first of them is asked for (see `library`):
`load_backbone`, `train`, `save`, `load`, `attach` and `inspect`.
"""

from typing import TYPE_CHECKING

from .lazy import lazy_names
from .version import __version__ as __version__

if TYPE_CHECKING:
    from .library import attach, inspect, load, load_backbone, save, train

__all__ = ["attach", "inspect", "load", "load_backbone", "save", "train"]

__getattr__ = lazy_names(__name__, {".library": __all__})


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
