"""What the page does, from Python.

    >>> from peft_demo import attach, load, load_backbone, save, train
    >>> backbone = load_backbone()
    >>> adapter = train(backbone, "lora", "digits", shots=2, epochs=1, rank=4)
    >>> save(adapter, "digits.safetensors")
    >>> model = attach(backbone, load("digits.safetensors"))
    >>> model.classify(picture).label in adapter.card.classes
    True

`picture` is a file or an image of Pillow's. The backbone stays frozen and may serve any number of
adapters at once. Whatever can go wrong is a `PeftDemoError` with a sentence (`contracts.errors`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from PIL.Image import Image
from torch import nn

from . import adapters, inference, training, vit
from .adapters import AdapterFile
from .contracts.adapter_card import AdapterCard
from .contracts.cards import Prediction
from .contracts.changes import Changes
from .contracts.data_map import PCA, TEST, DataMap
from .contracts.errors import UnknownName
from .contracts.events import Event, Improved
from .contracts.explanation import Explanation
from .contracts.knobs import build, knobs
from .contracts.score import Score
from .contracts.specs import Recipe, RunSpec
from .data import decode, open_dataset, parse, to_tensor
from .inference import scoring
from .inference.data_map import data_map
from .methods import find_method
from .storage.atomic import write_file
from .storage.home import find_home as find_home
from .vit import Backbone

RECIPE = {knob.name for knob in knobs(Recipe)}
"""Names of the settings that every method has."""


@dataclass(frozen=True)
class Classifier:
    """A backbone with an adapter around it."""

    attached: inference.Attached = field(repr=False)

    @property
    def model(self) -> nn.Module:
        """The plain torch module: normalised images [B 3 S S] → logits [B C]."""
        return self.attached.model

    @property
    def backbone(self) -> Backbone:
        return self.attached.backbone

    @property
    def card(self) -> AdapterCard:
        return self.attached.card

    def classify(self, image: Path | str | bytes | Image, top: int = 5) -> Prediction:
        """What is in the picture: `label`, its `probability`, and the `top` likeliest classes; and
        the `doubt` that it is any of them (`is_none` says that it is not).

        Raises `BadImage` for a file that is not a picture, `BadAdapter` if the answer is not made
        of finite numbers.

        >>> answer = attach(load_backbone(), load("digits.safetensors")).classify(picture, top=3)
        >>> [0 < probability < 1 for _, probability in answer.top]
        [True, True, True]
        """
        images = to_tensor(self._decoded(image), self.backbone.size)[None]
        start = perf_counter()
        said = self.attached.answer(images)
        ms = 1000 * (perf_counter() - start)
        classes = inference.top_classes(said.probabilities[0], self.card.classes, top)
        return Prediction(self.card.name, classes, ms, doubt=said.doubt(0))

    def explain(self, image: Path | str | bytes | Image) -> Explanation:
        """What in the picture the answer rests on: how much less likely it gets when a place is
        covered (`inference.occlusion`). `drops` has 14 rows of 14 places, `picture` is a PNG.

        >>> why = attach(load_backbone(), load("digits.safetensors")).explain(picture)
        >>> why.least < why.probability
        True
        """
        return inference.explain(self.attached, self._decoded(image), self.card.name)

    def evaluate(self, data: str | Path, *, reading: Mapping[str, Any] | None = None) -> Score:
        """How often it is right on the test images of `data`, or on all where it gives none, and
        where it errs. Images that the adapter has learned from are left out.

        `data` and `reading` are those of `train`. `contracts.score.Score` has the accuracy and its
        interval, precision, recall and F1 of each class, and the confusion matrix.

        >>> score = attach(load_backbone(), load("digits.safetensors")).evaluate("digits")
        >>> low, high = score.interval
        >>> low <= score.accuracy <= high
        True
        >>> [sum(row) for row in score.confusion] == [entry.images for entry in score.classes]
        True
        """
        spec, path = parse(str(data), **(reading or {}))
        return scoring.score(self.attached, open_dataset(spec, path))

    def map(
        self,
        data: str | Path,
        *,
        part: str = TEST,
        drawing: str = PCA,
        shots: int = 16,
        seed: int = 0,
        reading: Mapping[str, Any] | None = None,
    ) -> DataMap:
        """What the adapter did to pictures of `data`: where their features lie on a plane in the
        frozen backbone and with the adapter, and how often the nearest picture is of the same
        class (`contracts.data_map.DataMap`).

        `part` is "test", the images that `evaluate` takes, or "training", those that `train`
        chooses with `shots` and `seed`. `drawing` is "pca" or "t-sne". Of many pictures 300 are
        drawn. Raises `BadData` where there are fewer than five.

        >>> model = attach(load_backbone(), load("digits.safetensors"))
        >>> drawn = model.map("digits", part="training", shots=2)
        >>> len(drawn.pictures), 0 <= drawn.before <= 1, 0 <= drawn.after <= 1
        (20, True, True)
        """
        spec, path = parse(str(data), shots, seed, **(reading or {}))
        return data_map(self.attached, open_dataset(spec, path), spec, part, drawing)

    def _decoded(self, image: Path | str | bytes | Image) -> Image:
        source = Path(image) if isinstance(image, str) else image
        return decode(source, self.card.picture_window)


def load_backbone(
    name: str = "", size: int = 0, device: str = "", offline: bool = False
) -> Backbone:
    """The frozen backbone called `name`, at `size` px, on `device`.

    `name` is a name of timm's or one added with `backbones add`; "" is the bundled backbone. `size`
    0 is its own size, `device` "" the best there is. What is not on this machine is downloaded
    once.

    >>> load_backbone().size
    112
    """
    return vit.load(name, size, home=find_home().root, device=device, offline=offline)


def train(
    backbone: Backbone,
    method: str = "",
    data: str | Path = "digits",
    *,
    shots: int = 16,
    seed: int = 0,
    name: str = "",
    reading: Mapping[str, Any] | None = None,
    origin: AdapterFile | None = None,
    tune: int = 0,
    watch: Callable[[Event], Any] = lambda event: None,
    **settings: Any,
) -> AdapterFile:
    """The adapter that a run keeps, trained on `shots` images a class.

    `data` is a bundled name, a folder or zip of class folders, or "hf:OWNER/NAME". `settings` are
    the knobs of `method` (`rank`) and of the recipe (`epochs`, `lr`, `batch` ...; see
    `contracts.specs.Recipe`). `reading` says how the data is read, where the reader does not see it
    by itself: fields of `contracts.data_spec.DataSpec`, for instance `{"window": (0, 4095)}`.
    `origin` is an adapter to go on from, also with other classes: method and knobs are that one's
    then. Without one, a `method` that is left out is "lora".
    With `tune`, so many settings are tried first; validation images choose among them.
    `watch` is called with every event of the run (`contracts.events`); an exception that it raises
    ends the run.

    >>> train(load_backbone(), "lora", rnak=4)
    Traceback (most recent call last):
    peft_demo.contracts.errors.UnknownName: no setting 'rnak'; did you mean 'rank'?
    """
    spec, path = parse(str(data), shots, seed, **(reading or {}))
    method = method or (origin.card.method if origin else RunSpec.method)
    method_knobs, recipe = _sorted(method, settings)
    run = RunSpec(
        method=method,
        knobs=method_knobs,
        data=spec,
        backbone=backbone.name,
        size=backbone.size,
        recipe=build(Recipe, recipe),
        name=name,
        tune=tune,
    )
    if origin:
        run = training.going_on(run, origin)
    content = b""
    dataset = open_dataset(spec, path)
    for event in training.run_from_dataset(run, backbone, dataset, origin=origin):
        if isinstance(event, Improved):
            content = event.adapter
        watch(event)
    return AdapterFile.parse(content)


def save(adapter: AdapterFile, path: Path | str) -> None:
    """Writes the adapter file at `path`, whole or not at all; `CannotWrite` says why not."""
    write_file(Path(path), adapter.content)


def load(path: Path | str) -> AdapterFile:
    """The adapter in a file, its header and card checked; `attach` checks the rest.

    `BadAdapter` says why not.

    >>> load("digits.safetensors")
    <adapter 'lora-digits-s0': lora on vit_mini_patch16_112>
    >>> 0 <= load("digits.safetensors").accuracy <= 1
    True
    """
    return AdapterFile.open(Path(path))


def attach(backbone: Backbone, adapter: AdapterFile, strength: float = 1.0) -> Classifier:
    """The adapted model, ready to answer; the backbone is not changed.

    `strength` scales what the adapter adds (`adapters.strength`): at 0 only the head is its own. At
    any other than 1 there is no `doubt`.

    Hot-swapping is choosing another one of these. Raises `WrongBackbone` for an adapter that was
    trained on other weights, `BadAdapter` for one that is not what its card says.
    """
    return Classifier(inference.Attached.of_file(adapter, backbone, strength))


def inspect(backbone: Backbone, adapter: AdapterFile) -> Changes:
    """What the adapter changed in the backbone, place by place; no image is needed.

    `contracts.changes` says what is told of each place: how large ΔW is beside W, its effective
    rank, singular values, angles. Raises what `attach` raises.

    >>> result = inspect(load_backbone(), load("digits.safetensors"))
    >>> change = result.largest
    >>> change.kind in ("q", "v"), 0 < change.weight.relative < 1
    (True, True)
    >>> change.weight.effective_rank <= load("digits.safetensors").card.knobs["rank"]
    True
    """
    return adapters.changes(backbone, adapters.load(adapter, backbone))


def _sorted(method: str, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the method, checked, and of the recipe."""
    record = find_method(method)
    own_names = {knob.name for knob in knobs(record.Config)}
    for name in settings.keys() - own_names - RECIPE:
        raise UnknownName("setting", name, own_names | RECIPE)
    own = {name: value for name, value in settings.items() if name in own_names}
    recipe = {name: value for name, value in settings.items() if name in RECIPE}
    config = record.config(own)
    return {name: getattr(config, name) for name in own}, recipe
