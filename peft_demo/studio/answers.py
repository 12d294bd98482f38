"""Answers: what adapters say of images, and how often they are right."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

from .. import data
from ..contracts.adapter_card import AdapterCard
from ..contracts.answer import Answer, NamedPicture
from ..contracts.cards import Prediction, SideBySide
from ..contracts.data_map import PCA, TEST, DataMap
from ..contracts.errors import BadAdapter, BadData, BadImage, BadValue, PeftDemoError
from ..contracts.explanation import Explanation
from ..contracts.paired import Paired
from ..contracts.progress import Report
from ..contracts.score import Score
from ..contracts.specs import DataSpec, RunSpec
from ..contracts.strength import AtStrength
from ..contracts.together import Together
from ..contracts.window import Window
from ..data import split
from ..data.images import open_header
from ..data.pixels import PixelBudget
from ..storage.atomic import write_file
from .adapter_store import AdapterStore
from .datasets import Datasets
from .heavy import (
    adapters,
    data_map,
    few_shot_tensors,
    inference,
    merged,
    scoring,
    strengths,
    together,
    torch,
    training,
)
from .predictor import Predictor

TOGETHER = 8
"""Pictures of many that are answered in one forward pass: the first answers come soon."""


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

    def classify(
        self, image: Path | bytes, ids: Sequence[str], top: int = 5, strength: float = 1.0
    ) -> list[Prediction]:
        """One answer per adapter, in the order of `ids`, each timed by itself."""
        picture = _readable(image)
        return [self._answer(picture, id, top, strength) for id in ids]

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
        return self._predict([pictures[image] for image in images], ids, top)

    def each(
        self, pictures: Sequence[NamedPicture], id: str, top: int = 5, thumbnails: bool = False
    ) -> Iterator[Answer]:
        """One answer per picture in their order, a few at a time; one that cannot be read answers
        with its `refusal`.
        """
        window = self._predictor.choose(id).card.picture_window
        return self._each(pictures, id, top, window if thumbnails else None)

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        """The answer attached and merged; `CannotMerge` says why not."""
        chosen = self._predictor.choose(id)
        return merged.side_by_side(chosen, self._predictor.merged(chosen), id, image, top)

    def explain(self, image: Path | bytes, id: str, report: Report | None = None) -> Explanation:
        """What the answer of an adapter rests on."""
        chosen = self._predictor.choose(id)
        picture = data.decode(image, chosen.card.picture_window)
        return inference.explain(chosen, picture, id, report)

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
        with self._datasets.opened(spec, report) as dataset:
            if data:
                return scoring.score(chosen, dataset, report, pictures)
            return scoring.repeated(chosen, dataset, spec, report, pictures)

    def strengths(self, id: str, report: Report | None = None) -> list[AtStrength]:
        """How often it is right when what it adds is scaled, on validation images of its run."""
        chosen = self._predictor.choose(id)
        spec = self._data_of(id, chosen.card)
        with self._datasets.opened(spec, report) as dataset:
            return strengths.over_strengths(chosen, dataset, spec, report)

    def together(
        self,
        ids: Sequence[str],
        data: DataSpec | None = None,
        shares: Sequence[float] = (),
        report: Report | None = None,
    ) -> Together:
        """How often several adapters are right, each alone and all together. Without `data` on
        images of the first one's dataset."""
        members = {id: self._predictor.choose(id) for id in ids}
        shares = together.shares_of(list(members.values()), shares)
        spec = data or self._data_of(ids[0], members[ids[0]].card)
        with self._datasets.opened(spec, report) as dataset:
            return together.together(members, dataset, shares, report)

    def map(
        self,
        id: str,
        data: DataSpec | None = None,
        part: str = TEST,
        drawing: str = PCA,
        report: Report | None = None,
    ) -> DataMap:
        """Where pictures lie on a plane before and after adaptation; without `data` those of its
        own run."""
        chosen = self._predictor.choose(id)
        spec = data or self._data_of(id, chosen.card)
        draw = data_map.data_map if data else data_map.own_map
        with self._datasets.opened(spec, report) as dataset:
            return draw(chosen, dataset, spec, part, drawing, report)

    def compare(
        self, first: str, second: str, data: DataSpec, report: Report | None = None
    ) -> tuple[Score, Paired]:
        """What `evaluate` says of the first, and both on the images that neither has seen."""
        one, other = self._predictor.choose(first), self._predictor.choose(second)
        with self._datasets.opened(data, report) as dataset:
            return scoring.compared(one, other, dataset, report)

    def calibrate(
        self, id: str, out: Path, data: DataSpec | None = None, report: Report | None = None
    ) -> AdapterCard:
        """Writes at `out` the adapter with true probabilities and a sense of what is none of its
        classes, learned from `data`: the images of its own run where none is named; the new card.
        """
        chosen = self._predictor.choose(id)
        spec = data or self._data_of(id, chosen.card)
        with self._datasets.opened(spec, report) as dataset:
            images = split(dataset, spec.shots, spec.seed, report)
            material = few_shot_tensors.few_shot_tensors(images, chosen.backbone.size, report)
        file = adapters.AdapterFile.open(self._store.path(id))
        file = training.calibrated(file, chosen.backbone, material)
        write_file(out, file.content)
        return file.card

    def verify(self, id: str, report: Report | None = None) -> Score:
        """Accuracy on the same test images as in its card, measured again.

        `BadData` unless it was trained on a bundled set: only those can be had again.
        """
        spec = RunSpec.from_json(self._store.card(id).spec).data
        if spec.source != "bundled":
            raise BadData("its images did not come with the project.")
        chosen = self._predictor.choose(id)
        return scoring.repeated(chosen, self._datasets.open(spec, report), spec, report)

    def _each(
        self, pictures: Sequence[NamedPicture], id: str, top: int, shown_under: Window | None
    ) -> Iterator[Answer]:
        budget = PixelBudget(self._datasets.most_pixels)
        for start in range(0, len(pictures), TOGETHER):
            chosen = pictures[start : start + TOGETHER]
            opened = [_open(picture, budget) for picture in chosen]
            readable = [picture for picture in opened if isinstance(picture, data.Picture)]
            predictions = iter(self._predict(readable, [id] * len(readable), top))
            for named, picture in zip(chosen, opened, strict=True):
                if isinstance(picture, str):
                    yield Answer(named.name, Prediction(id, (), 0.0, refusal=picture))
                else:
                    small = b""
                    if shown_under is not None:
                        small = data.thumbnail(picture.under(shown_under))
                    yield Answer(named.name, next(predictions), small)

    def _predict(
        self, pictures: Sequence[data.Picture], ids: Sequence[str], top: int
    ) -> list[Prediction]:
        models, refusals = self._choose_all(ids)
        answers: dict[int, Prediction] = {}
        for place, id in enumerate(ids):
            if id in refusals:
                answers[place] = Prediction(id, (), 0.0, refusal=refusals[id])
        for group in _groups(models.values()):
            places = [place for place, id in enumerate(ids) if models.get(id) in group]
            numbers = [group.index(models[ids[place]]) for place in places]
            shown = [
                (pictures[place], group[number].card.picture_window)
                for place, number in zip(places, numbers, strict=True)
            ]
            pixels = _pixels(shown, group[0].backbone.size)
            rows, ms = self._forward(group, pixels, numbers)
            for place, number, row in zip(places, numbers, rows, strict=True):
                card = group[number].card
                answers[place] = _prediction(ids[place], row, card, top, ms / len(places))
        return [answers[place] for place in range(len(ids))]

    def _choose_all(
        self, ids: Sequence[str]
    ) -> "tuple[dict[str, inference.Attached], dict[str, str]]":
        """The attached model of each id, or the sentence that says why there is none."""
        models = {}
        refusals = {}
        for id in dict.fromkeys(ids):
            try:
                models[id] = self._predictor.choose(id)
            except PeftDemoError as error:
                refusals[id] = str(error)
        return models, refusals

    def _answer(self, picture: data.Picture, id: str, top: int, strength: float) -> Prediction:
        start = perf_counter()
        chosen = self._predictor.choose(id).at(strength)
        swap_ms = _ms_since(start)
        shown = picture.under(chosen.card.picture_window)
        images = data.to_tensor(shown, chosen.backbone.size)[None]
        start = perf_counter()
        answered = chosen.answer(images)
        ms = _ms_since(start)
        top_classes = inference.top_classes(answered.probabilities[0], chosen.card.classes, top)
        return Prediction(id, top_classes, ms, swap_ms, doubt=answered.doubt(0))

    def _forward(
        self, group: "list[inference.Attached]", pixels: "torch.Tensor", numbers: Sequence[int]
    ) -> "tuple[list[inference.Answered], float]":
        """What is said of each of the images, uint8 [N 3 S S], and the milliseconds it took.

        Image n is answered by the adapter of the group whose number is `numbers[n]`.
        """
        if len(group) == 1:
            start = perf_counter()
            rows = group[0].answer(pixels).each()
            return rows, _ms_since(start)
        mixed = self._predictor.mixed(group)
        start = perf_counter()
        rows = inference.answer_together(mixed, group, pixels, numbers)
        return rows, _ms_since(start)


def _open(named: NamedPicture, budget: PixelBudget) -> data.Picture | str:
    """The picture, decoded, or the sentence that says why it cannot be."""
    try:
        content = named.read()
        budget.spend(open_header(content))
        return _readable(content)
    except (BadImage, BadData) as error:
        return str(error)


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
    id: str, said: "inference.Answered", card: AdapterCard, top: int, ms: float
) -> Prediction:
    """What was `said` of one image, or the refusal of an answer that is not finite."""
    try:
        classes = inference.top_classes(said.probabilities[0], card.classes, top)
        return Prediction(id, classes, ms, doubt=said.doubt(0))
    except BadAdapter as error:
        return Prediction(id, (), ms, refusal=str(error))


def _pixels(shown: Sequence[tuple[data.Picture, Window]], size: int) -> "torch.Tensor":
    """uint8 [N 3 S S]; what comes several times is decoded and resized once."""
    resized = {
        (picture, window): data.to_tensor(picture.under(window), size)
        for picture, window in dict.fromkeys(shown)
    }
    return torch.stack([resized[key] for key in shown])


def _groups(models: "Iterable[inference.Attached]") -> "list[list[inference.Attached]]":
    """Those that answer together: adapters that mix, on one backbone."""
    groups = defaultdict(list)
    for attached in models:
        backbone = attached.backbone
        together = id(backbone.model), backbone.mean, backbone.std
        groups[together if attached.mixable else id(attached)].append(attached)
    return list(groups.values())
