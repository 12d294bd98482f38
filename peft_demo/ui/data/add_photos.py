"""Photos that join a class of the page's class cards, and how many are a start."""

from collections.abc import Sequence
from pathlib import Path

from ...contracts.service import Drafts
from .. import text

ENOUGH = 5
"""Photos of a class with which one can start."""


def add_photos(drafts: Drafts, client: str, label: str, photos: Sequence[Path]) -> int:
    """The class keeps what it has and takes these too; how many it has then."""
    earlier = [drafts.image(client, key) for key in drafts.classes(client).get(label, ())]
    drafts.put(client, label, [*earlier, *photos])
    return len(earlier) + len(photos)


def count_in_words(photos: int) -> str:
    """3 → 3 photos, 2 more help"""
    if not photos:
        return f"{ENOUGH} photos are a start"
    more = f", {ENOUGH - photos} more help" if photos < ENOUGH else ""
    return f"{text.plural(photos, 'photo')}{more}"
