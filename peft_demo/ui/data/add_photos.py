"""Photos that join a class of the page's class cards."""

from collections.abc import Sequence
from pathlib import Path

from ...contracts.service import Drafts


def add_photos(drafts: Drafts, client: str, label: str, photos: Sequence[Path]) -> int:
    """The class keeps what it has and takes these too; how many it has then."""
    earlier = [drafts.image(client, key) for key in drafts.classes(client).get(label, ())]
    drafts.put(client, label, [*earlier, *photos])
    return len(earlier) + len(photos)
