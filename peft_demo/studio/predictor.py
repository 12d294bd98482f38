"""Answers: attached models, ready at once. Choosing another adapter is choosing another of them.

An attached model stands around the backbone's own tensors, so keeping sixteen of them costs sixteen adapters, not
sixteen backbones, and nothing is ever moved or restored.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from time import perf_counter

import torch
from PIL import Image
from torch import Tensor, nn

from .. import adapters, data, inference, vit
from ..adapters import Adapter, AdapterFile, Mixed
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import Prediction
from ..contracts.errors import BadAdapter, BadValue, PeftDemoError
from .adapter_store import AdapterStore
from .backbone_cache import BackboneCache

KEPT_BYTES = 1_000_000_000
"""Of adapters in memory; the one in use may be larger."""
SHARED_BYTES = 30_000_000
"""The same of each visitor, where many share the machine."""


@dataclass(frozen=True, eq=False)
class Attached:
    """A model that answers for one adapter."""

    model: nn.Module
    backbone: vit.Backbone
    adapter: Adapter
    card: AdapterCard

    @cached_property
    def bytes(self) -> int:
        return sum(t.nbytes for t in self.adapter.state().values())

    @cached_property
    def mixable(self) -> bool:
        return adapters.is_mixable(self.backbone, self.adapter)


class Predictor:
    """Classifies pictures with any adapter of the zoo, on its own backbone and with its own head."""

    def __init__(self, store: AdapterStore, backbones: BackboneCache, kept_bytes: int = KEPT_BYTES):
        self._store = store
        self._backbones = backbones
        self._kept_bytes = kept_bytes
        self._ready: OrderedDict[tuple[Path, int, int], Attached] = OrderedDict()
        self._mixed: tuple[list[Attached], Mixed] | None = None
        self._merged: tuple[Attached, nn.Module] | None = None
        self._lock = Lock()

    def classify(self, image: Path | bytes, ids: Sequence[str], top: int = 5) -> list[Prediction]:
        """One answer per adapter, in the order asked, each timed for itself."""
        picture = data.decode(image)
        return [self._answer(picture, id, top) for id in ids]

    def predict(
        self, images: Sequence[Path | bytes], ids: Sequence[str], top: int = 5
    ) -> list[Prediction]:
        """One answer per image, each by its own adapter; one that cannot be loaded answers with its `refusal`.

        Adapters that mix answer in one forward pass, of the others each answers its images in one batch; `ms` is an
        image's share of it.
        """
        if len(images) != len(ids):
            raise BadValue(
                f"each image needs an adapter, got {len(images)} images and {len(ids)} adapters."
            )
        pictures = {image: data.decode(image) for image in dict.fromkeys(images)}
        chosen, refused = self._choose_all(ids)
        answers = {
            n: Prediction(id, (), 0.0, refusal=refused[id])
            for n, id in enumerate(ids)
            if id in refused
        }
        for group in _groups(chosen.values()):
            places = [n for n, id in enumerate(ids) if id in chosen and chosen[id] in group]
            asked = [chosen[ids[n]] for n in places]
            pixels = _pixels([pictures[images[n]] for n in places], group[0].backbone.size)
            chances, ms = self._chances(group, pixels, asked)
            for n, each, row in zip(places, asked, chances, strict=True):
                answers[n] = _prediction(ids[n], row, each.card, top, ms / len(places))
        return [answers[n] for n in range(len(ids))]

    def choose(self, id: str) -> Attached:
        """The attached model, loaded if its file is new or has changed. A load that fails changes nothing."""
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

    def merged(self, chosen: Attached) -> nn.Module:
        """The adapter folded into plain weights; the last one is kept. `CannotMerge` says why not."""
        kept = self._merged
        if kept is None or kept[0] is not chosen:
            kept = self._merged = chosen, adapters.merge(chosen.backbone, chosen.adapter).eval()
        return kept[1]

    def load(self, file: AdapterFile) -> tuple[vit.Backbone, Adapter]:
        """The backbone that `file` was made for, and the adapter in it, wholly checked."""
        card = file.card
        backbone = self._backbones.get(
            card.backbone, card.size, card.fingerprint
        ).with_normalisation(card.mean, card.std)
        return backbone, adapters.load(file, backbone)

    def _attach(self, path: Path) -> Attached:
        file = AdapterFile.open(path)
        backbone, adapter = self.load(file)
        return Attached(adapters.attach(backbone, adapter).eval(), backbone, adapter, file.card)

    def _choose_all(self, ids: Sequence[str]) -> tuple[dict[str, Attached], dict[str, str]]:
        """The attached model of each id, or the sentence that says why there is none."""
        chosen = {}
        refused = {}
        for id in dict.fromkeys(ids):
            try:
                chosen[id] = self.choose(id)
            except PeftDemoError as error:
                refused[id] = str(error)
        return chosen, refused

    def _make_room(self, wanted: int) -> None:
        """Lets those go that were not asked for the longest, and what was made of them."""
        held = sum(each.bytes for each in self._ready.values())
        while self._ready and held + wanted > self._kept_bytes:
            held -= self._ready.popitem(last=False)[1].bytes
            self._mixed = self._merged = None

    def _answer(self, picture: Image.Image, id: str, top: int) -> Prediction:
        began = perf_counter()
        chosen = self.choose(id)
        swapped = perf_counter()
        images = data.to_tensor(picture, chosen.backbone.size)[None]
        ready = perf_counter()
        chances = inference.predict(chosen.model, images, chosen.backbone)[0]
        ms = 1000 * (perf_counter() - ready)
        return Prediction(
            id,
            inference.top_classes(chances, chosen.card.classes, top),
            ms,
            1000 * (swapped - began),
        )

    def _chances(
        self, group: Sequence[Attached], pixels: Tensor, asked: Sequence[Attached]
    ) -> tuple[Sequence[Tensor], float]:
        """Class probabilities [C] of images uint8 [N 3 S S], each by its adapter of the group, and the milliseconds."""
        backbone = group[0].backbone
        numbers = [group.index(each) for each in asked]
        mixed = self._mix(group) if len(group) > 1 else None
        began = perf_counter()
        if mixed is None:
            rows = inference.predict(group[0].model, pixels, backbone)
        else:
            rows = inference.predict_mixed(mixed, pixels, numbers, backbone)
        return rows, 1000 * (perf_counter() - began)

    def _mix(self, group: Sequence[Attached]) -> Mixed:
        """The stack of these adapters; the last one is kept."""
        kept = self._mixed
        if kept is None or kept[0] != group:
            kept = list(group), Mixed(group[0].backbone, [each.adapter for each in group]).eval()
            self._mixed = kept
        return kept[1]


def _prediction(
    id: str, probabilities: Tensor, card: AdapterCard, top: int, ms: float
) -> Prediction:
    """The answer with these probabilities [C], or the refusal of one that is not finite."""
    try:
        return Prediction(id, inference.top_classes(probabilities, card.classes, top), ms)
    except BadAdapter as error:
        return Prediction(id, (), ms, refusal=str(error))


def _pixels(pictures: Sequence[Image.Image], size: int) -> Tensor:
    """uint8 [N 3 S S]; a picture that comes several times is resized once."""
    made = {id(picture): picture for picture in pictures}
    small = {key: data.to_tensor(picture, size) for key, picture in made.items()}
    return torch.stack([small[id(picture)] for picture in pictures])


def _groups(chosen: Iterable[Attached]) -> list[list[Attached]]:
    """Those that answer together: adapters that mix, on one backbone."""
    groups = defaultdict(list)
    for each in chosen:
        shared = id(each.backbone.model), each.backbone.mean, each.backbone.std
        groups[shared if each.mixable else id(each)].append(each)
    return list(groups.values())
