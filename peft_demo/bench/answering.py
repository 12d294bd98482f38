"""What swapping adapters, loading one, and answering with many at once cost; beside huggingface/peft where it is there.

Random weights, LoRA of rank 8. Everything is timed in turns, so that a machine that is busy meanwhile slows all alike;
ratios are medians over the turns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import timm
import torch
from torch import nn

from .. import adapters
from ..contracts.adapter_card import AdapterCard
from ..contracts.specs import RunSpec
from ..methods import find_method
from ..studio.adapter_store import SUFFIX, AdapterStore
from ..studio.predictor import Predictor
from ..vit import Backbone, wrap
from ..vit.catalogue import Source
from ..vit.load import best_device
from .huggingface import Peft, peft

CLASSES = 10
CROWDS = (1, 4, 16)
"""How many adapters are there at once."""
CHOICES = 200
"""Swaps that are timed together, as one takes microseconds."""

Timed = Callable[[], object]


@dataclass(frozen=True)
class _OneBackbone:
    """A shelf that holds the one backbone measured."""

    backbone: Backbone

    def get(self, *_) -> Backbone:
        return self.backbone


def switch(source: Source, size: int, turns: int) -> list[dict]:
    """Rows about choosing one of the resident adapters, loading one from disk with every check, and merging one."""
    backbone = _random(source, size)
    with TemporaryDirectory() as folder:
        zoo = AdapterStore(Path(folder), Path(folder) / "trash", Path(folder) / "none")
        names = _fill(zoo, backbone, CROWDS[-1])
        rows = [_choosing(zoo, backbone, names[:crowd], source, size, turns) for crowd in CROWDS]
        rows.append(_loading(zoo, backbone, names[0], source, size, turns, Path(folder)))
        return [*rows, _merging(backbone, turns)]


def predict(source: Source, size: int, batch: int, turns: int) -> list[dict]:
    """Rows about a batch answered by one adapter, by it merged, and by many at once, as multiples of the frozen
    model's time."""
    backbone = _random(source, size)
    crowd = [_lora(backbone, seed) for seed in range(CROWDS[-1])]
    images = torch.randn(batch, 3, backbone.size, backbone.size, device=backbone.device)
    other = peft(source, size, CLASSES, len(crowd), backbone.device)
    timed: dict[str, Timed] = {"frozen": lambda: backbone.model(images)}
    timed |= _ours(backbone, crowd, images) | (_theirs(other, images) if other else {})
    found = _in_turns(timed, turns)
    return [_against_frozen(name, found) for name in timed if not name.startswith("peft ")]


def _ours(backbone: Backbone, crowd: Sequence[adapters.Adapter], images) -> dict[str, Timed]:
    timed = {
        "attached": adapters.attach(backbone, crowd[0]),
        "merged": adapters.merge(backbone, crowd[0]),
    }
    calls: dict[str, Timed] = {name: _call(model.eval(), images) for name, model in timed.items()}
    for n in CROWDS:
        calls[f"mixed {n}"] = _call(
            adapters.Mixed(backbone, crowd[:n]).eval(), images, _numbers(images, n)
        )
    return calls


def _theirs(other: Peft, images) -> dict[str, Timed]:
    calls: dict[str, Timed] = {"peft attached": lambda: other.answer(images)}
    for n in CROWDS:
        calls[f"peft mixed {n}"] = _call(other.answer_mixed, images, _numbers(images, n))
    return calls


def _call(function: Callable, *given) -> Timed:
    return lambda: function(*given)


def _numbers(images, crowd: int) -> list[int]:
    return [n % crowd for n in range(len(images))]


def _against_frozen(name: str, found: Mapping[str, list[float]]) -> dict:
    row = {
        "what": name,
        "ms": 1e3 * median(found[name]),
        "ratio": _ratio(found[name], found["frozen"]),
    }
    theirs = found.get(f"peft {name}")
    return row | ({"peft_ratio": _ratio(theirs, found["frozen"])} if theirs else {})


def _choosing(
    zoo: AdapterStore,
    backbone: Backbone,
    names: Sequence[str],
    source: Source,
    size: int,
    turns: int,
) -> dict:
    predictor = Predictor(zoo, _OneBackbone(backbone))
    for name in names:
        predictor.choose(name)
    order = [names[n % len(names)] for n in range(CHOICES)]
    timed: dict[str, Timed] = {"ours": lambda: [predictor.choose(name) for name in order]}
    if other := peft(source, size, CLASSES, len(names), backbone.device):
        timed["peft"] = lambda: [other.choose(n % len(names)) for n in range(CHOICES // 20)]
    found = _in_turns(timed, turns)
    row = {"what": f"choose among {len(names)}", "ms": 1e3 * median(found["ours"]) / CHOICES}
    return row | ({"peft_ms": 1e3 * median(found["peft"]) / (CHOICES // 20)} if other else {})


def _loading(
    zoo: AdapterStore,
    backbone: Backbone,
    name: str,
    source: Source,
    size: int,
    turns: int,
    folder: Path,
) -> dict:
    predictor = Predictor(zoo, _OneBackbone(backbone))
    file = zoo.path(name)
    timed: dict[str, Timed] = {
        "load": lambda: predictor.load(adapters.AdapterFile.open(file)),
        "read": file.read_bytes,
    }
    if other := peft(source, size, CLASSES, 1, backbone.device):
        saved = other.save(folder / "peft")
        timed["peft"] = lambda: other.load(saved, "fresh")
        after = {"peft": lambda: other.unload("fresh")}
    found = _in_turns(timed, turns, after if other else {})
    row = {
        "what": "load with every check",
        "ms": 1e3 * median(found["load"]),
        "read_ms": 1e3 * median(found["read"]),
    }
    return row | ({"peft_ms": 1e3 * median(found["peft"])} if other else {})


def _merging(backbone: Backbone, turns: int) -> dict:
    adapter = _lora(backbone, seed=0)
    found = _in_turns({"merge": lambda: adapters.merge(backbone, adapter)}, turns)
    return {"what": "merge", "ms": 1e3 * median(found["merge"])}


@torch.inference_mode()
def _in_turns(
    timed: Mapping[str, Timed], turns: int, after: Mapping[str, Timed] | None = None
) -> dict[str, list]:
    """Seconds of each, one of each in every turn; the first turn is not counted."""
    found: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(turns + 1):
        for name, call in timed.items():
            began = perf_counter()
            call()
            _wait()
            found[name].append(perf_counter() - began)
            (after or {}).get(name, lambda: None)()
    return {name: seconds[1:] for name, seconds in found.items()}


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _ratio(some: Sequence[float], frozen: Sequence[float]) -> float:
    return median(a / b for a, b in zip(some, frozen, strict=True))


def _random(source: Source, size: int) -> Backbone:
    torch.manual_seed(0)
    model: nn.Module = timm.create_model(
        source.arch, pretrained=False, num_classes=0, **dict(source.kwargs)
    )
    return wrap(model, source.name, source.arch, size, best_device())


def _lora(backbone: Backbone, seed: int) -> adapters.Adapter:
    lora = find_method("lora")
    return adapters.create(lora, lora.config({}), backbone, CLASSES, seed).eval()


def _fill(zoo: AdapterStore, backbone: Backbone, adapters_wanted: int) -> list[str]:
    """Files of new adapters; their ids."""
    names = [f"lora-{n}" for n in range(adapters_wanted)]
    for seed, name in enumerate(names):
        adapter = _lora(backbone, seed)
        (zoo.own / f"{name}{SUFFIX}").write_bytes(
            adapters.dump(adapter, _card(name, adapter, backbone))
        )
    return names


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


HEAD = ("WHAT", "MS", "× FROZEN", "READING", "PEFT MS", "PEFT × FROZEN", "× PEFT")


def printed(rows: Sequence[dict]) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`, empty where nothing was measured."""
    return [_cells(row) for row in rows]


def _cells(row: dict) -> tuple[str, ...]:
    against = row["ms"] / row["peft_ms"] if "peft_ms" in row else None
    against = row["ratio"] / row["peft_ratio"] if "peft_ratio" in row else against
    numbers = [(row["ms"], 4), (row.get("ratio"), 2), (row.get("read_ms"), 2)]
    numbers += [(row.get("peft_ms"), 3), (row.get("peft_ratio"), 2), (against, 3)]
    return row["what"], *(
        "" if number is None else f"{number:.{digits}f}" for number, digits in numbers
    )
