"""Answers: what adapters say of images, and how often they are right."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from .. import data, inference
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import Prediction, SideBySide
from ..contracts.errors import BadAdapter, BadData, BadValue, PeftDemoError
from ..contracts.progress import Report
from ..contracts.score import Score
from ..contracts.specs import DataSpec, RunSpec
from ..contracts.window import Window
from ..inference.scoring import repeated, score
from .adapter_store import AdapterStore
from .datasets import Datasets
from .merged import side_by_side
from .predictor import Attached, Predictor


class Answers:
    """The `contracts.service.Answers` of a home."""

    def __init__(
        self,
        store: AdapterStore,
        datasets: Datasets,
        predictor: Predictor,
        data_of: Callable[[str, AdapterCard], DataSpec],
    ):
        self._store = store
        self._datasets = datasets
        self._predictor = predictor
        self._data_of = data_of

    def classify(self, image: Path | bytes, ids: Sequence[str], top: int = 5) -> list[Prediction]:
        """One answer per adapter, in the order of `ids`, each timed by itself."""
        picture = _readable(image)
        return [self._answer(picture, id, top) for id in ids]

    def predict(
        self, images: Sequence[Path | bytes], ids: Sequence[str], top: int = 5
    ) -> list[Prediction]:
        """One answer per image, each by its own adapter.

        Adapters that mix answer in one forward pass. Of the others, each answers its images in one
        batch. `ms` is an image's share of the pass. An adapter that cannot be loaded answers with
        its `refusal`.
        """
        if len(images) != len(ids):
            raise BadValue(
                f"each image needs an adapter, got {len(images)} images and {len(ids)} adapters."
            )
        pictures = {image: _readable(image) for image in dict.fromkeys(images)}
        models, refusals = self._choose_all(ids)
        answers: dict[int, Prediction] = {}
        for place, id in enumerate(ids):
            if id in refusals:
                answers[place] = Prediction(id, (), 0.0, refusal=refusals[id])
        for group in _groups(models.values()):
            places = [place for place, id in enumerate(ids) if models.get(id) in group]
            numbers = [group.index(models[ids[place]]) for place in places]
            shown = [
                (pictures[images[place]], group[number].card.picture_window)
                for place, number in zip(places, numbers, strict=True)
            ]
            pixels = _pixels(shown, group[0].backbone.size)
            rows, ms = self._forward(group, pixels, numbers)
            for place, number, row in zip(places, numbers, rows, strict=True):
                card = group[number].card
                answers[place] = _prediction(ids[place], row, card, top, ms / len(places))
        return [answers[place] for place in range(len(ids))]

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        """The answer attached and merged; `CannotMerge` says why not."""
        chosen = self._predictor.choose(id)
        return side_by_side(chosen, self._predictor.merged(chosen), id, image, top)

    def evaluate(
        self,
        id: str,
        data: DataSpec | None = None,
        report: Report | None = None,
        pictures: bool = False,
    ) -> Score:
        """How often it is right on the test images of `data`, or on all where there are none; seen
        ones are left out. Without `data` on the test images of its own run."""
        chosen = self._predictor.choose(id)
        spec = data or self._data_of(id, chosen.card)
        dataset = self._datasets.open(spec, report)
        with self._datasets.turn(spec, report):
            if data:
                return score(chosen, dataset, report, pictures)
            return repeated(chosen, dataset, spec, report, pictures)

    def verify(self, id: str, report: Report | None = None) -> Score:
        """Accuracy on the same test images as in its card, measured again.

        `BadData` unless it was trained on a bundled set: only those can be had again.
        """
        spec = RunSpec.from_json(self._store.card(id).spec).data
        if spec.source != "bundled":
            raise BadData("its images did not come with the project.")
        chosen = self._predictor.choose(id)
        return repeated(chosen, self._datasets.open(spec, report), spec, report)

    def _choose_all(self, ids: Sequence[str]) -> tuple[dict[str, Attached], dict[str, str]]:
        """The attached model of each id, or the sentence that says why there is none."""
        models = {}
        refusals = {}
        for id in dict.fromkeys(ids):
            try:
                models[id] = self._predictor.choose(id)
            except PeftDemoError as error:
                refusals[id] = str(error)
        return models, refusals

    def _answer(self, picture: data.Picture, id: str, top: int) -> Prediction:
        start = perf_counter()
        chosen = self._predictor.choose(id)
        swap_ms = _ms_since(start)
        shown = picture.under(chosen.card.picture_window)
        images = data.to_tensor(shown, chosen.backbone.size)[None]
        start = perf_counter()
        probabilities = inference.predict(chosen.model, images, chosen.backbone)[0]
        ms = _ms_since(start)
        top_classes = inference.top_classes(probabilities, chosen.card.classes, top)
        return Prediction(id, top_classes, ms, swap_ms)

    def _forward(
        self, group: list[Attached], pixels: Tensor, numbers: Sequence[int]
    ) -> tuple[list[Tensor], float]:
        """Class probabilities [C] of images uint8 [N 3 S S], and the milliseconds it took.

        Image n is answered by the adapter of the group whose number is `numbers[n]`.
        """
        backbone = group[0].backbone
        if len(group) == 1:
            start = perf_counter()
            rows = inference.predict(group[0].model, pixels, backbone)
            return list(rows.unbind()), _ms_since(start)
        mixed = self._predictor.mixed(group)
        start = perf_counter()
        rows = inference.predict_mixed(mixed, pixels, numbers, backbone)
        return rows, _ms_since(start)


def _readable(image: Path | bytes) -> data.Picture:
    """The image, decoded under the window it asks for itself.

    Raises `BadImage` before anything is loaded.
    """
    picture = data.Picture(image)
    picture.under(Window())
    return picture


def _ms_since(start: float) -> float:
    return 1000 * (perf_counter() - start)


def _prediction(
    id: str, probabilities: Tensor, card: AdapterCard, top: int, ms: float
) -> Prediction:
    """The answer with these probabilities [C], or the refusal of one that is not finite."""
    try:
        return Prediction(id, inference.top_classes(probabilities, card.classes, top), ms)
    except BadAdapter as error:
        return Prediction(id, (), ms, refusal=str(error))


def _pixels(shown: Sequence[tuple[data.Picture, Window]], size: int) -> Tensor:
    """uint8 [N 3 S S]; what comes several times is decoded and resized once."""
    resized = {
        (picture, window): data.to_tensor(picture.under(window), size)
        for picture, window in dict.fromkeys(shown)
    }
    return torch.stack([resized[key] for key in shown])


def _groups(models: Iterable[Attached]) -> list[list[Attached]]:
    """Those that answer together: adapters that mix, on one backbone."""
    groups = defaultdict(list)
    for attached in models:
        backbone = attached.backbone
        together = id(backbone.model), backbone.mean, backbone.std
        groups[together if attached.mixable else id(attached)].append(attached)
    return list(groups.values())
