"""The authors' own recipes: one preset for each method and benchmark, by what their code says.

Where code and paper differ, the code counts, as the printed figures came from it. `deviations` say
what cannot be said by a recipe here. What all have in common: the authors print the best test epoch
(but VPT), and here the last state is tested.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from .vtab import VTAB


@dataclass(frozen=True)
class Values:
    """Values by the names of the recipe's knobs and of the method's."""

    recipe: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def over(self, base: "Values") -> "Values":
        """These, and of the base what they do not say."""
        return Values({**base.recipe, **self.recipe}, {**base.knobs, **self.knobs})


@dataclass(frozen=True)
class Preset:
    """A method's recipe on a benchmark."""

    source: str
    """Where it was read."""
    values: Values
    tasks: Mapping[str, Values] = field(default_factory=dict)
    """What differs by the task."""
    recipe_grid: Mapping[str, tuple] = field(default_factory=dict)
    knob_grid: Mapping[str, tuple] = field(default_factory=dict)
    """What the authors searched for each task and did not print."""
    deviations: tuple[str, ...] = ()

    def settings(self, task: str) -> list[Values]:
        """Every setting of the task: one, where nothing was searched."""
        base = self.tasks.get(task, Values()).over(self.values)
        return [values.over(base) for values in self._searched()]

    def _searched(self) -> Iterator[Values]:
        names = [*self.recipe_grid, *self.knob_grid]
        for values in product(*self.recipe_grid.values(), *self.knob_grid.values()):
            chosen = dict(zip(names, values, strict=True))
            yield Values(
                {name: chosen[name] for name in self.recipe_grid},
                {name: chosen[name] for name in self.knob_grid},
            )


def _by_task(names: Sequence[str], *rows: Values) -> dict[str, Values]:
    return dict(zip(names, rows, strict=True))


VTAB_TASKS = [task.name for task in VTAB.tasks]
BASE = {"epochs": 100, "warmup": 0.1, "smoothing": 0.0, "augment": "none", "keep": "last"}
FGVC_BASE = {**BASE, "augment": "window+flip"}
COOL = "10 more epochs at the lowest rate follow in the authors' code"

# ARC, RLRR, HTA, AOFT: one tree ------------------------------------------------------------------

_ARC = {
    "batch": 32,
    "clip": 1.0,
    "decayed": "all",
    "normalisation": "imagenet",
    "head_start": "zero",
    "min_lr": 1e-8,
}
ARC_VTAB = Preset(
    source="ARC's released code, vtab_ARC_train.py",
    values=Values({**BASE, **_ARC, "lr": 1e-2, "weight_decay": 0.0}, {"dropout": 0.1}),
    deviations=("the released script freezes the adapters by accident; here they learn",),
)
ARC_FGVC = Preset(
    source="ARC's released code, FGVC script; rates by the author in its issue 1",
    values=Values({**FGVC_BASE, **_ARC}, {"dropout": 0.1}),
    tasks={
        "CUB_200_2011": Values({"lr": 1e-3, "weight_decay": 0.05}),
        "nabirds": Values({"lr": 2e-4, "weight_decay": 0.05}),
        "OxfordFlowers": Values({"lr": 2.5e-3, "weight_decay": 0.01}),
        "StanfordDogs": Values({"lr": 2.5e-4, "weight_decay": 0.05}),
        "StanfordCars": Values({"lr": 5e-3, "weight_decay": 0.05}, {"dropout": 0.0}),
    },
    deviations=(
        "trained on train.json alone in the authors' code, here on train and val",
        "dropout 0.1 in the backbone's MLPs (not on StanfordDogs), here none",
        "the short side is resized to 256, here the picture is squeezed to 256 × 256",
    ),
)
_RLRR = {
    "batch": 32,
    "clip": 0.0,
    "decayed": "weights",
    "dropped": "entries",
    "normalisation": "half",
    "head_start": "zero",
    "min_lr": 1e-8,
}


def _rlrr(lr: float, drop: float, decay: float, flip: str = "n") -> Values:
    recipe = {"lr": lr, "stochastic_depth": drop, "weight_decay": decay}
    return Values({**recipe, "augment": "flip"} if flip == "y" else recipe)


RLRR_VTAB = Preset(
    source="RLRR's released code, its table of VTAB settings",
    values=Values({**BASE, **_RLRR}),
    tasks=_by_task(
        VTAB_TASKS,
        _rlrr(3e-3, 0.1, 5e-5),
        _rlrr(1e-3, 0.1, 5e-5),
        _rlrr(2e-3, 0.1, 5e-5, "y"),
        _rlrr(3e-3, 0.3, 5e-2),
        _rlrr(1e-3, 0.1, 5e-5, "y"),
        _rlrr(5e-3, 0.3, 5e-5),
        _rlrr(1e-3, 0.1, 5e-5),
        _rlrr(3e-3, 0.3, 5e-2, "y"),
        _rlrr(1e-3, 0.1, 5e-5, "y"),
        _rlrr(3e-3, 0.0, 5e-5),
        _rlrr(5e-3, 0.1, 5e-5, "y"),
        _rlrr(5e-3, 0.5, 5e-5, "y"),
        _rlrr(1e-2, 0.2, 5e-5, "y"),
        _rlrr(5e-3, 0.3, 5e-5, "y"),
        _rlrr(3e-3, 0.3, 5e-2, "y"),
        _rlrr(1e-2, 0.1, 5e-5),
        _rlrr(5e-3, 0.1, 5e-5),
        _rlrr(5e-3, 0.3, 5e-2),
        _rlrr(1e-3, 0.3, 5e-5, "y"),
    ),
    deviations=(COOL, "mixed precision in fp16"),
)
RLRR_FGVC = Preset(
    source="RLRR's released code, its table of FGVC settings",
    values=Values({**FGVC_BASE, **_RLRR, "epochs": 50, "warmup": 0.2}),
    tasks={
        "CUB_200_2011": _rlrr(3e-3, 0.1, 0.05),
        "nabirds": _rlrr(5e-4, 0.3, 0.05),
        "OxfordFlowers": _rlrr(3e-3, 0.2, 0.05),
        "StanfordDogs": _rlrr(1e-4, 0.0, 0.05),
        "StanfordCars": _rlrr(3e-3, 0.2, 0.05),
    },
    deviations=(COOL, "CUB and Dogs restart the cosine every 5 epochs without a warm-up"),
)
_HTA_GRID = {
    "lr": (0.2, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0001),
    "weight_decay": (0.05, 0.01, 0.005, 0.001, 0.0),
    "batch": (64, 32, 16),
}
_HTA_KNOBS = {"dropout": (0.5, 0.3, 0.2, 0.1, 0.0)}
_HTA_UNKNOWN = (
    "normalisation, start of the head, drop path, clipping and what decays are not stated: taken "
    "as in RLRR's code, of the same group, without drop path",
)
HTA_VTAB = Preset(
    source="HTA's paper; there is no code",
    values=Values({**BASE, **_RLRR}),
    recipe_grid=_HTA_GRID,
    knob_grid=_HTA_KNOBS,
    deviations=_HTA_UNKNOWN,
)
HTA_FGVC = Preset(
    source="HTA's paper; there is no code",
    values=Values({**FGVC_BASE, **_RLRR}),
    recipe_grid=_HTA_GRID,
    knob_grid=_HTA_KNOBS,
    deviations=(*_HTA_UNKNOWN, "random resized crops of 224, here windows of 224 from 256"),
)
_AOFT_NOTES = (
    COOL,
    "starts at q = 0 and drops the frozen bias; here q are random unit vectors and the bias stays",
    "MLP dropout 0.1",
    "flips as in RLRR's table",
)


def _aoft(lr: float, drop: float, decay: float, flip: str = "n", batch: int = 32) -> Values:
    values = _rlrr(lr, drop, decay, flip)
    return Values({**values.recipe, "batch": batch})


_AOFT_TASKS = _by_task(
    VTAB_TASKS,
    _aoft(1e-2, 0.5, 0.5),
    _aoft(3e-3, 0.3, 5e-5),
    _aoft(3e-3, 0.2, 5e-4, "y"),
    _aoft(5e-3, 0.3, 0.05),
    _aoft(1e-3, 0.3, 5e-5, "y"),
    _aoft(5e-3, 0.3, 5e-5),
    _aoft(5e-3, 0.3, 5e-5),
    _aoft(1e-4, 0.3, 5e-4, "y"),
    _aoft(3e-4, 0.1, 5e-3, "y"),
    _aoft(2e-3, 0.2, 5e-3),
    _aoft(3e-4, 0.1, 5e-4, "y", 16),
    _aoft(1e-3, 0.5, 5e-4, "y", 16),
    _aoft(5e-3, 0.2, 5e-4, "y"),
    _aoft(3e-3, 0.2, 5e-5, "y"),
    _aoft(1e-2, 0.2, 5e-4, "y"),
    _aoft(5e-3, 0.1, 5e-4, "n", 16),
    _aoft(3e-3, 0.1, 5e-4, "n", 16),
    _aoft(3e-4, 0.5, 0.5),
    _aoft(5e-3, 0.2, 5e-4, "y"),
)
_AOFT_FGVC = {
    "CUB_200_2011": _rlrr(5e-3, 0.1, 0.05),
    "nabirds": _rlrr(1e-3, 0.3, 5e-3),
    "OxfordFlowers": _rlrr(1e-2, 0.2, 0.05),
    "StanfordDogs": _rlrr(1e-4, 0.0, 0.05),
    "StanfordCars": _rlrr(1e-4, 0.0, 5e-4),
}
_AOFT_SOURCE = "AOFT's released code, its table of settings; for which form they were tuned is open"
_AOFT_LORA = {"targets": ("q", "v", "fc1", "fc2"), "scale": True, "start": "literal"}
_AOFT_ADAPTER = {"targets": ("proj", "fc2"), "scale": True, "start": "literal"}
_AOFT_STREAM = "stands on the residual stream behind a norm of its own; here after the linear"


def _aoft_vtab(knobs: Mapping[str, Any], *notes: str) -> Preset:
    values = Values({**BASE, **_RLRR}, knobs)
    return Preset(_AOFT_SOURCE, values, _AOFT_TASKS, deviations=(*_AOFT_NOTES, *notes))


def _aoft_fgvc(knobs: Mapping[str, Any], *notes: str) -> Preset:
    values = Values({**FGVC_BASE, **_RLRR, "epochs": 50, "warmup": 0.2}, knobs)
    notes = (*_AOFT_NOTES[:-1], "CUB and Dogs restart the cosine every 5 epochs", *notes)
    return Preset(_AOFT_SOURCE, values, _AOFT_FGVC, deviations=notes)


# SPT, FacT, Convpass, 1-bit, RepAdapter: NOAH's tree ---------------------------------------------

_PETL = {
    "lr": 1e-3,
    "min_lr": 1e-5,
    "batch": 64,
    "clip": 0.0,
    "weight_decay": 1e-4,
    "decayed": "all",
    "stochastic_depth": 0.1,
    "normalisation": "imagenet",
    "head_start": "uniform",
}
_PETL_NOTES = (
    "the last incomplete batch of an epoch is dropped",
    "the warm-up begins at 1e-6 and the rate changes once an epoch",
)
_SPT = {**_PETL, "decayed": "matrices", "head_start": "normal"}
_SPT_VTAB = Preset(
    source="SPT's released scripts; the budgets are searched for each task (its issue 1)",
    values=Values({**BASE, **_SPT}, {"fill": False}),
    knob_grid={"budget": (1.166, 0.932, 0.699, 0.466, 0.233)},
    deviations=(
        "the up-projections start at a truncated normal by accident; here at zero",
        "the survey looks at the first 512 images under drop path; here in random order without",
        "budgets are 1.0, 0.8, 0.6, 0.4 and 0.2 M of ViT-B, here that share of any backbone",
    ),
)
_BIT = {**_PETL, "normalisation": "none"}


def _scaled(name: str, values: Sequence[Any]) -> dict[str, Values]:
    return _by_task(VTAB_TASKS, *(Values(knobs={name: value}) for value in values))


def _bit(source: str, scales: Sequence[float]) -> Preset:
    values = Values({**BASE, **_BIT}, {"hidden": 32})
    return Preset(source, values, _scaled("scale", scales), deviations=_PETL_NOTES)


_BIT_SOURCE = "PETL-ViT's released code, binary_adapter, and the scales of its configurations"
BI_ADAPTFORMER = _bit(
    f"{_BIT_SOURCE} (h = 32, plain head)",
    (0.1, 10, 0.01, 1, 0.01, 10, 0.1, 1, 1, 10, 1, 1, 0.1, 1, 1, 1, 0.1, 1, 1),
)
BI_LORA = _bit(
    f"{_BIT_SOURCE} (h = 32, plain head)",
    (0.1, 10, 0.01, 1, 0.1, 10, 0.1, 10, 10, 10, 10, 1, 0.1, 10, 10, 1, 0.1, 10, 1),
)


def _fact(pairs: Sequence[tuple[int, float]]) -> Preset:
    tasks = _by_task(VTAB_TASKS, *(Values(knobs={"rank": r, "scale": s}) for r, s in pairs))
    source = "PETL-ViT's released code, FacT, and its configurations"
    return Preset(source, Values({**BASE, **_PETL}), tasks, deviations=_PETL_NOTES)


FACT_TT = _fact(
    (
        *((8, 1), (16, 10), (8, 0.01), (16, 1), (8, 1), (16, 100), (8, 1)),
        *((8, 10), (8, 100), (8, 0.1), (8, 1)),
        *((16, 1), (4, 10), (16, 10), (16, 10), (16, 100), (16, 1), (16, 100), (8, 10)),
    )
)
FACT_TK = _fact(
    (
        *((32, 0.1), (32, 10), (16, 0.01), (32, 1), (16, 10), (32, 100), (16, 1)),
        *((32, 10), (32, 100), (32, 10), (16, 1)),
        *((32, 10), (16, 10), (32, 10), (32, 10), (32, 100), (32, 1), (32, 100), (16, 10)),
    )
)


def _convpass(scale: float, xavier: str) -> Values:
    return Values(knobs={"scale": scale, "start": "xavier" if xavier == "y" else "identity"})


CONVPASS = Preset(
    source="PETL-ViT's released code, Convpass, and its configurations",
    values=Values({**BASE, **_PETL}),
    tasks=_by_task(
        VTAB_TASKS,
        *(_convpass(*p) for p in ((0.1, "n"), (1, "n"), (0.01, "y"), (0.1, "y"), (1, "y"))),
        *(_convpass(*p) for p in ((100, "y"), (0.1, "n"))),
        *(_convpass(*p) for p in ((10, "n"), (10, "n"), (10, "n"), (1, "n"))),
        *(_convpass(*p) for p in ((1, "n"), (0.1, "y"), (10, "n"), (10, "y"))),
        *(_convpass(*p) for p in ((100, "y"), (0.1, "y"), (100, "y"), (1, "y"))),
    ),
    deviations=_PETL_NOTES,
)
REPADAPTER = Preset(
    source="RepAdapter's released code and its configurations",
    values=Values({**BASE, **_PETL}),
    tasks=_scaled(
        "scale",
        (0.1, 5, 1, 0.5, 0.1, 10, 0.1, 1, 1, 5, 0.1, 0.5, 0.1, 5, 5, 5, 0.1, 10, 1),
    ),
    deviations=_PETL_NOTES,
)

# SSF, VPT ----------------------------------------------------------------------------------------


def _ssf(lr: float, decay: float, drop: float) -> Values:
    return Values({"lr": lr, "weight_decay": decay, "stochastic_depth": drop})


_SSF = {"batch": 64, "clip": 0.0, "normalisation": "half", "min_lr": 1e-8}
SSF_VTAB = Preset(
    source="SSF's released scripts, on the AugReg weights (vit_base_patch16_224.augreg_in21k)",
    values=Values({**BASE, **_SSF}),
    tasks=_by_task(
        VTAB_TASKS,
        _ssf(5e-3, 5e-5, 0.0),
        _ssf(1e-3, 5e-2, 0.1),
        _ssf(5e-3, 5e-5, 0.0),
        _ssf(5e-3, 5e-5, 0.0),
        _ssf(5e-3, 5e-5, 0.0),
        _ssf(1e-2, 5e-5, 0.0),
        _ssf(5e-3, 5e-5, 0.0),
        _ssf(5e-3, 5e-5, 0.0),
        _ssf(3e-3, 5e-2, 0.2),
        _ssf(2e-3, 5e-5, 0.1),
        _ssf(5e-3, 5e-5, 0.2),
        _ssf(2e-3, 5e-2, 0.1),
        _ssf(5e-2, 5e-2, 0.1),
        _ssf(5e-3, 5e-5, 0.1),
        _ssf(1e-2, 5e-5, 0.0),
        _ssf(1e-2, 5e-5, 0.0),
        _ssf(5e-3, 5e-5, 0.2),
        _ssf(2e-2, 5e-5, 0.1),
        _ssf(5e-3, 5e-2, 0.2),
    ),
    deviations=("mixed precision in fp16", "what decays and how the head starts: taken as here"),
)
_BASE_RATES = (50.0, 25.0, 10.0, 5.0, 2.5, 1.0, 0.5, 0.25, 0.1, 0.05)


def _vpt(batch: int, base: Mapping[str, Any], knob_grid: Mapping[str, tuple]) -> Preset:
    """Rates are those of a batch of 256, times the batch's share of it."""
    recipe = {"optimizer": "sgd", "batch": batch, "clip": 0.0, "normalisation": "imagenet"}
    return Preset(
        source="VPT's released code (seeds 42, 44, 82, 100 and 800)",
        values=Values({**base, **recipe}),
        recipe_grid={
            "lr": tuple(rate * batch / 256 for rate in _BASE_RATES),
            "weight_decay": (0.01, 0.001, 0.0001, 0.0),
        },
        knob_grid=knob_grid,
        deviations=(
            "the prompt lengths are those of the paper, searched with rate and decay together",
            "bilinear resizing by TensorFlow, here bicubic by Pillow",
        ),
    )


_PROMPTS = {"prompts": (1, 5, 10, 50, 100, 200)}

PRESETS: dict[str, dict[str, Preset]] = {
    "vtab": {
        "arc": ARC_VTAB,
        "arc_att": ARC_VTAB,
        "rlrr": RLRR_VTAB,
        "hta": HTA_VTAB,
        "hta_adapter": HTA_VTAB,
        "aoft_lora": _aoft_vtab(_AOFT_LORA),
        "aoft_adapter": _aoft_vtab(_AOFT_ADAPTER, _AOFT_STREAM),
        "spt_lora": _SPT_VTAB,
        "spt_adapter": _SPT_VTAB,
        "bi_adaptformer": BI_ADAPTFORMER,
        "bi_lora": BI_LORA,
        "fact_tt": FACT_TT,
        "fact_tk": FACT_TK,
        "convpass": CONVPASS,
        "repadapter": REPADAPTER,
        "ssf": SSF_VTAB,
        "vpt_deep": _vpt(64, BASE, _PROMPTS),
        "vpt_shallow": _vpt(64, BASE, _PROMPTS),
        "linear": _vpt(64, BASE, {}),
    },
    "fgvc": {
        "arc": ARC_FGVC,
        "arc_att": ARC_FGVC,
        "rlrr": RLRR_FGVC,
        "hta": HTA_FGVC,
        "hta_adapter": HTA_FGVC,
        "aoft_lora": _aoft_fgvc(_AOFT_LORA),
        "aoft_adapter": _aoft_fgvc(_AOFT_ADAPTER, _AOFT_STREAM),
        "vpt_deep": _vpt(128, FGVC_BASE, _PROMPTS),
        "vpt_shallow": _vpt(128, FGVC_BASE, _PROMPTS),
    },
}
"""Benchmark → method → its authors' recipe."""
