"""Attached models, ready to answer. Choosing another adapter is choosing another of them.

An attached model stands around the backbone's own tensors, so keeping sixteen of them costs sixteen
adapters, not sixteen backbones, and nothing is ever moved or restored.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from .. import vit
from .adapter_store import AdapterStore
from .backbone_cache import BackboneCache
from .heavy import adapters, inference, torch

KEPT_BYTES = 1_000_000_000
"""Adapters kept in memory; the one in use may be larger."""
SHARED_BYTES = 30_000_000
"""The same for each visitor, where many share the machine."""


class Predictor:
    """The attached models of a store's adapters, those that were used last kept in memory."""

    def __init__(self, store: AdapterStore, backbones: BackboneCache, kept_bytes: int = KEPT_BYTES):
        self._store = store
        self._backbones = backbones
        self._kept_bytes = kept_bytes
        self._ready: OrderedDict[tuple[Path, int, int], inference.Attached] = OrderedDict()
        self._mixed: tuple[list[inference.Attached], adapters.Mixed] | None = None
        self._merged: tuple[inference.Attached, torch.nn.Module] | None = None
        self._lock = Lock()

    def choose(self, id: str) -> "inference.Attached":
        """The attached model, loaded if its file is new or has changed.

        A load that fails changes nothing.
        """
        key = self._store.state(id)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._attach(key[0])
        with self._lock:
            if key not in self._ready:
                self._make_room(ready.bytes)
            self._ready[key] = ready
            self._ready.move_to_end(key)
        return ready

    def merged(self, chosen: "inference.Attached") -> "torch.nn.Module":
        """The adapter folded into plain weights; the last one is kept.

        `CannotMerge` says why not.
        """
        kept = self._merged
        if kept is None or kept[0] is not chosen:
            kept = chosen, adapters.merge(chosen.backbone, chosen.adapter).eval()
            self._merged = kept
        return kept[1]

    def mixed(self, group: "Sequence[inference.Attached]") -> "adapters.Mixed":
        """The adapters of `group`, all on one backbone, in one model; the last one is kept."""
        kept = self._mixed
        if kept is None or kept[0] != group:
            stack = [attached.adapter for attached in group]
            kept = list(group), adapters.Mixed(group[0].backbone, stack).eval()
            self._mixed = kept
        return kept[1]

    def load(self, file: "adapters.AdapterFile") -> "tuple[vit.Backbone, adapters.Adapter]":
        """The backbone that `file` was made for, and the adapter in it, wholly checked."""
        card = file.card
        backbone = self._backbones.get(card.backbone, card.size, card.fingerprint)
        backbone = backbone.with_normalisation(card.mean, card.std)
        return backbone, adapters.load(file, backbone)

    def _attach(self, path: Path) -> "inference.Attached":
        file = adapters.AdapterFile.open(path)
        backbone, adapter = self.load(file)
        return inference.Attached.of(backbone, adapter, file.card)

    def _make_room(self, wanted: int) -> None:
        """Drops the models that were not used for the longest time, and what was made of them."""
        total = sum(attached.bytes for attached in self._ready.values())
        while self._ready and total + wanted > self._kept_bytes:
            _, dropped = self._ready.popitem(last=False)
            total -= dropped.bytes
            self._mixed = None
            self._merged = None
