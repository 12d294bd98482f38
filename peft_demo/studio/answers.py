"""Answers: what adapters say of images, and how often they are right."""

from pathlib import Path

from ..contracts.cards import Score, SideBySide
from ..contracts.errors import BadData
from ..contracts.progress import Report
from ..contracts.specs import DataSpec, RunSpec
from .adapter_store import AdapterStore
from .datasets import Datasets
from .merged import side_by_side
from .predictor import Predictor
from .scoring import repeated, score


class Answers:
    """The `contracts.service.Answers` of a home."""

    def __init__(self, store: AdapterStore, data: Datasets, predictor: Predictor):
        self._store = store
        self._data = data
        self._predictor = predictor
        self.classify = predictor.classify
        self.predict = predictor.predict

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        chosen = self._predictor.choose(id)
        return side_by_side(chosen, self._predictor.merged(chosen), id, image, top)

    def evaluate(self, id: str, data: DataSpec, report: Report | None = None) -> Score:
        return score(self._predictor.choose(id), self._data.open(data, report), report)

    def verify(self, id: str, report: Report | None = None) -> Score:
        """Accuracy on the same test images as in its card, measured again.

        `BadData` unless it was trained on a bundled set: only those can be had again.
        """
        data = RunSpec.from_json(self._store.card(id).spec).data
        if data.source != "bundled":
            raise BadData("its images did not come with the project.")
        return repeated(self._predictor.choose(id), self._data.open(data, report), data, report)
