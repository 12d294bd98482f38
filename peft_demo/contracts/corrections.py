"""What a person corrected in a dataset: pictures that belong to another class, or to none.

Written as one word, `DIGEST=CLASS,DIGEST=`: the first `DIGITS` hexadecimal digits of a picture's
SHA-256 and the class it belongs to, percent-encoded; none, and the picture is left out. A picture
is named by its content: the word holds for a folder and for a zip of it, and tells no file name.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from .errors import BadValue

DIGITS = 12
MOST = 500
_PIECE = re.compile(rf"([0-9a-f]{{{DIGITS}}})=([^=,\s]*)")


def parse_corrections(word: str) -> dict[str, str]:
    """Digest → class, "" for a picture that is left out. Raises `BadValue`."""
    pieces = [piece.strip() for piece in word.split(",") if piece.strip()]
    corrections = {}
    for piece in pieces:
        parts = _PIECE.fullmatch(piece)
        if parts is None:
            raise BadValue(
                f"corrections are written DIGEST=CLASS,DIGEST=, got {piece!r:.80}.",
                f"A digest has {DIGITS} hexadecimal digits; no class leaves the picture out.",
            )
        corrections[parts[1]] = unquote(parts[2])
    if len(corrections) > MOST:
        raise BadValue(
            f"{len(corrections)} corrections are more than {MOST}.", "Mend the files themselves."
        )
    return corrections


def corrections_text(corrections: Mapping[str, str]) -> str:
    """The word again."""
    return ",".join(f"{digest}={quote(label, safe='')}" for digest, label in corrections.items())
