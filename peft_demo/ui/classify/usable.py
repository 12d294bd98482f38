"""Which adapters can answer."""

from ...contracts.cards import ZooEntry
from ...contracts.service import Zoo


def usable(zoo: Zoo) -> list[str]:
    """Ids of the adapters that can answer here, own ones first."""
    return [entry.id for entry in zoo.entries() if entry.card is not None and not entry.refusal]


def ready(zoo: Zoo) -> list[ZooEntry]:
    """The adapters that can answer at once: their backbone is on this machine."""
    here = {card.fingerprint for card in zoo.backbones() if card.ready}
    entries = [entry for entry in zoo.entries() if not entry.refusal]
    return [entry for entry in entries if entry.card and entry.card.fingerprint in here]
