"""The few backbones in memory, which training and answers share."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock

from .. import vit
from ..contracts.progress import Report

KEPT = 3


class BackboneCache:
    """Loads backbones once and keeps the last few used."""

    def __init__(self, home: Path, device: str = "", offline: bool = False):
        self._where = {"home": home, "device": device, "offline": offline}
        self._loaded: OrderedDict[tuple[str, int, str], vit.Backbone] = OrderedDict()
        self._lock = Lock()

    def get(
        self, name: str = "", size: int = 0, fingerprint: str = "", report: Report | None = None
    ) -> "vit.Backbone":
        """The backbone, loaded if it is not here yet. A load that fails changes nothing."""
        key = name, size, fingerprint
        if key not in self._loaded:
            # Outside the lock: a download must not keep answers on other backbones waiting.
            self._put(
                key, vit.load(name, size, **self._where, report=report, fingerprint=fingerprint)
            )
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
                return self._loaded[key]
        return self.get(*key, report)

    def _put(self, key: tuple[str, int, str], fresh: "vit.Backbone") -> None:
        """Keeps `fresh`, or in its place the same weights that are in memory under another name."""
        with self._lock:
            same = (
                b
                for b in self._loaded.values()
                if (b.fingerprint, b.size) == (fresh.fingerprint, fresh.size)
            )
            self._loaded[key] = next(same, fresh)
            while len({id(b) for b in self._loaded.values()}) > KEPT:
                self._loaded.popitem(last=False)
