"""What choosing another adapter costs, loading one from disk, and merging one; beside peft."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .. import adapters
from ..contracts.adapter_card import AdapterCard
from ..contracts.specs import RunSpec
from ..studio.adapter_store import AdapterStore
from ..studio.backbone_cache import BackboneCache
from ..studio.entry import SUFFIX
from ..studio.predictor import Predictor
from ..studio.trash import Trash
from ..vit import Backbone
from ..vit.source import Source
from .huggingface import Peft, build_peft
from .random_models import CLASSES, random_backbone, random_lora
from .timing import Call, Row, in_turns, milliseconds

RESIDENT = (1, 4, 16, 256, 1000)
"""How many adapters are in memory at once."""
MOST_OF_PEFT = 16
"""Up to how many peft is asked to hold: beyond, making its model alone takes minutes."""
ROOM = 8_000_000_000
"""Bytes that the resident ones may take."""
CHOICES = 200
"""Choices that are timed together, as one takes microseconds."""
PEFT_CHOICES = 10
"""The same for peft, where one takes much longer."""


def switch(source: Source, size: int, turns: int, most: int = 16) -> list[Row]:
    """Rows about choosing one of the resident adapters (at most `most`), loading one with every
    check, and merging.

    The weights are random, the adapters LoRAs of rank 8.
    """
    backbone = random_backbone(source, size)
    with TemporaryDirectory() as folder:
        store = AdapterStore(Path(folder), Trash(Path(folder) / "trash"), Path(folder) / "none")
        counts = [count for count in RESIDENT if count <= most]
        ids = _fill(store, backbone, max(counts))
        rows = []
        for count in counts:
            theirs = None
            if count <= MOST_OF_PEFT:
                theirs = build_peft(source, size, CLASSES, count, backbone.device)
            rows.append(_choosing(_predictor(store, backbone), ids[:count], theirs, turns))
        theirs = build_peft(source, size, CLASSES, 1, backbone.device)
        file = store.path(ids[0])
        rows.append(_loading(_predictor(store, backbone), file, theirs, turns))
        return [*rows, _merging(backbone, turns)]


class _OneBackbone(BackboneCache):
    """A cache that holds the one backbone measured, whatever is asked for."""

    def __init__(self, backbone: Backbone):
        self._backbone = backbone

    def get(self, *_: object, **__: object) -> Backbone:
        return self._backbone


def _predictor(store: AdapterStore, backbone: Backbone) -> Predictor:
    return Predictor(store, _OneBackbone(backbone), ROOM)


def _choosing(predictor: Predictor, ids: Sequence[str], theirs: Peft | None, turns: int) -> Row:
    for id in ids:
        predictor.choose(id)
    order = [ids[n % len(ids)] for n in range(CHOICES)]
    calls: dict[str, Call] = {"ours": lambda: [predictor.choose(id) for id in order]}
    if theirs is not None:
        numbers = [n % len(ids) for n in range(PEFT_CHOICES)]
        calls["peft"] = lambda: [theirs.choose(number) for number in numbers]
    seconds = in_turns(calls, turns)
    row = {"what": f"choose among {len(ids)}", "ms": milliseconds(seconds["ours"], CHOICES)}
    if theirs is not None:
        row["peft_ms"] = milliseconds(seconds["peft"], PEFT_CHOICES)
    return row


def _loading(predictor: Predictor, file: Path, theirs: Peft | None, turns: int) -> Row:
    calls: dict[str, Call] = {
        "load": lambda: predictor.load(adapters.AdapterFile.open(file)),
        "read": file.read_bytes,
    }
    clean_up: dict[str, Call] = {}
    if theirs is not None:
        saved = theirs.save(file.parent / "peft")
        calls["peft"] = lambda: theirs.load(saved, "fresh")
        clean_up["peft"] = lambda: theirs.unload("fresh")
    seconds = in_turns(calls, turns, clean_up)
    row = {
        "what": "load with every check",
        "ms": milliseconds(seconds["load"]),
        "read_ms": milliseconds(seconds["read"]),
    }
    if theirs is not None:
        row["peft_ms"] = milliseconds(seconds["peft"])
    return row


def _merging(backbone: Backbone, turns: int) -> Row:
    adapter = random_lora(backbone, seed=0)
    seconds = in_turns({"merge": lambda: adapters.merge(backbone, adapter)}, turns)
    return {"what": "merge", "ms": milliseconds(seconds["merge"])}


def _fill(store: AdapterStore, backbone: Backbone, count: int) -> list[str]:
    """Writes files of new adapters into the store; their ids."""
    ids = [f"lora-{n}" for n in range(count)]
    for seed, id in enumerate(ids):
        adapter = random_lora(backbone, seed)
        content = adapters.dump(adapter, _card(id, adapter, backbone))
        (store.own / f"{id}{SUFFIX}").write_bytes(content)
    return ids


def _card(name: str, adapter: adapters.Adapter, backbone: Backbone) -> AdapterCard:
    return AdapterCard(
        name=name,
        method=adapter.method.name,
        knobs=vars(adapter.config),
        classes=tuple(f"class {n}" for n in range(CLASSES)),
        **backbone.facts(),
        spec=RunSpec().to_json(),
        trainable=adapter.trainable,
        head=adapter.head_parameters,
    )
