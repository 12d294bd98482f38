"""How files are written everywhere: whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def landing(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` to write into; it takes `path`'s place at the end, or disappears on an error.

    Its name is nobody else's, so two processes may write the same file at once; the last one counts. Raises `OSError`.
    """
    draft = path.with_name(f".{uuid4().hex}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
