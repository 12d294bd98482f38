"""Answers: a few attached models, ready at once. Choosing another adapter is choosing another of them.

An attached model stands around the backbone's own tensors, so keeping eight of them costs eight adapters, not eight
backbones, and nothing is ever moved or restored.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter

from torch import nn

from .. import adapters, data, training, vit
from ..contracts.cards import AdapterCard, Prediction
from .shelf import Shelf
from .zoo import Zoo

KEPT = 8


@dataclass(frozen=True)
class Attached:
    """A model that answers for one adapter."""

    model: nn.Module
    backbone: vit.Backbone
    card: AdapterCard


class Predictor:
    """Classifies pictures with any adapter of the zoo, on its own backbone and with its own head."""

    def __init__(self, zoo: Zoo, shelf: Shelf):
        self._zoo, self._shelf = zoo, shelf
        self._ready: OrderedDict[tuple[Path, int, int], Attached] = OrderedDict()
        self._lock = Lock()

    def classify(self, image: Path | bytes, ids: Sequence[str], top: int = 5) -> list[Prediction]:
        """One answer per adapter, in the order asked."""
        picture = data.decode(image)
        return [self._answer(picture, id, top) for id in ids]

    def choose(self, id: str) -> Attached:
        """The attached model, loaded if its file is new or has changed. A load that fails changes nothing."""
        key = self._zoo.state(id)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._attach(key[0])
        with self._lock:
            self._ready[key] = ready
            self._ready.move_to_end(key)
            while len(self._ready) > KEPT:
                self._ready.popitem(last=False)
        return ready

    def load(self, file: Path) -> tuple[vit.Backbone, adapters.Adapter, AdapterCard]:
        """The adapter in `file`, wholly checked, and the backbone it was made for."""
        card = adapters.read_card(file)
        backbone = self._shelf.get(card.backbone, card.size, card.fingerprint).normalised(card.mean, card.std)
        return backbone, *adapters.load(file, backbone)

    def _attach(self, file: Path) -> Attached:
        backbone, adapter, card = self.load(file)
        return Attached(adapters.attach(backbone, adapter).eval(), backbone, card)

    def _answer(self, picture, id: str, top: int) -> Prediction:
        began = perf_counter()
        chosen = self.choose(id)
        swapped = perf_counter()
        images = data.to_tensor(picture, chosen.backbone.size)[None]
        ready = perf_counter()
        chances = training.predict(chosen.model, images, chosen.backbone)[0].tolist()
        ms = 1000 * (perf_counter() - ready)
        best = sorted(zip(chosen.card.classes, chances, strict=True), key=lambda pair: -pair[1])[:top]
        return Prediction(id, tuple(best), ms, 1000 * (swapped - began))
