"""A run that goes on from an adapter: what it takes from it, and what it says about it."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from ..adapters import Adapter, AdapterFile, load, take_over
from ..adapters.file import check_backbone
from ..contracts.errors import BadAdapter, BadValue
from ..contracts.events import Noticed
from ..contracts.origin import Origin
from ..contracts.specs import RunSpec
from ..contracts.text import shortened
from ..data import Split
from ..data.few_shot_tensors import FewShotTensors
from ..methods import find_method
from ..vit import Backbone


def going_on(run: RunSpec, file: AdapterFile) -> RunSpec:
    """`run` with the method, the knobs and the backbone of the adapter in `file`, its origin.

    `run.method` may be "", its knobs those that a person named. `BadValue` says what contradicts
    the adapter, `BadAdapter` that the file is not the one that the run names.
    """
    card = file.card
    name = shortened(card.name)
    if run.method not in ("", card.method):
        raise BadValue(
            f"{name} is an adapter of {card.method}, so a run from it cannot train {run.method}.",
            "Leave the method out, or start a new adapter.",
        )
    method = find_method(card.method)
    knobs = vars(method.config(card.knobs))
    for knob, value in vars(method.config({**card.knobs, **run.knobs})).items():
        if value != knobs[knob]:
            raise BadValue(
                f"{name} has {knob} = {knobs[knob]}, so a run from it cannot have {value}.",
                "Leave the knob out, or start a new adapter.",
            )
    origin = run.origin or Origin(card.name)
    check_content(origin, file)
    return replace(
        run,
        method=card.method,
        knobs=knobs,
        backbone=run.backbone or card.backbone,
        size=run.size or card.size,
        origin=replace(origin, sha256=_digest(file)),
    )


def check_content(origin: Origin, file: AdapterFile) -> None:
    """`BadAdapter` unless the file has the content that the run began with."""
    digest = _digest(file)
    if not digest.startswith(origin.sha256):
        raise BadAdapter(
            f"{origin.name} is no longer the file that this run goes on from "
            f"(sha256 {origin.sha256[:12]}…, now {digest[:12]}…).",
            "Put that file back, or start a new run.",
        )


def check_origin(run: RunSpec, origin: AdapterFile | None, backbone: Backbone) -> None:
    """An error unless `origin` is what `run` goes on from, and was made for this backbone."""
    if run.origin is None:
        return
    if origin is None:
        raise BadValue(f"this run goes on from {run.origin.name}, which was not handed to it.")
    check_content(run.origin, origin)
    check_backbone(origin.card, backbone)


def begin_from(
    adapter: Adapter, origin: AdapterFile, backbone: Backbone, classes: tuple[str, ...]
) -> None:
    """Makes the run's new adapter what its origin is. `BadAdapter` or `BadValue` says why not."""
    take_over(adapter, classes, load(origin, backbone), origin.card.classes)


def notices(run: RunSpec, origin: AdapterFile, material: FewShotTensors) -> Iterator[Noticed]:
    """What there is to say before the first step of such a run."""
    card = origin.card
    name = run.origin.name if run.origin else shortened(card.name)
    kept = [c for c in material.classes if c in card.classes]
    yield Noticed(
        "info",
        f"goes on from {name}: {len(kept)} of {len(material.classes)} classes keep their row of "
        "the head.",
    )
    if material.window != card.picture_window:
        before = card.picture_window.words or "as they are"
        now = material.window.words or "as they are"
        yield Noticed("warning", f"{name} read its pictures otherwise ({before}), now: {now}.")


def without_seen(chosen: Split, origin: AdapterFile) -> Split:
    """The split without the test images that the origin was trained or validated on.

    They would flatter the accuracy on the test images. One notice tells how many they are, another
    how many such validation images there are, where the split is not the origin's own.
    """
    name = shortened(origin.card.name)
    seen = frozenset(origin.card.seen)
    fresh = tuple(example for example in chosen.test if example.digest[:12] not in seen)
    left_out = len(chosen.test) - len(fresh)
    notices = list(chosen.notices)
    if left_out:
        notices.append(
            f"{left_out} of {len(chosen.test)} test images are left out: "
            f"{name} was trained or validated on them."
        )
    known = sum(example.digest[:12] in seen for example in chosen.val)
    if known and chosen.fingerprint != origin.card.split:
        notices.append(
            f"{name} was trained or validated on {known} of {len(chosen.val)} validation images: "
            "the accuracy on them may be flattered."
        )
    return replace(chosen, test=fresh, notices=tuple(notices))


def also_seen(material: FewShotTensors, origin: AdapterFile) -> FewShotTensors:
    """The material, with what the origin saw among what the new adapter has seen."""
    return replace(material, seen=tuple(sorted({*material.seen, *origin.card.seen})))


def _digest(file: AdapterFile) -> str:
    return sha256(file.content).hexdigest()
