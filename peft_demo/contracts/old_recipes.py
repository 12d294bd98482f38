"""Recipes in files of before: what they do not say was as it is written here, whatever is the
default today.

Before the head had a learning rate of its own, one rate was that of all parameters, and 0 meant the
method's own, which has changed since.
"""

from collections.abc import Mapping
from typing import Any

SINCE = {
    "balance": "none",
    "precision": "auto",
    "memory": "normal",
    "graph": "off",
    "keep": "best",
    "optimizer": "adamw",
    "min_lr": 0.0,
    "decayed": "matrices",
    "stochastic_depth": 0.0,
    "dropped": "branches",
    "normalisation": "backbone",
    "head_start": "zero",
}
"""Fields of `Recipe` that did not exist once, as runs were then; JSON names those that differ."""
RATES = {
    "adapter": 3e-3,
    "adaptformer": 1e-3,
    "aoft_adapter": 9e-3,
    "aoft_lora": 9e-3,
    "arc": 3e-3,
    "arc_att": 5e-3,
    "bi_adaptformer": 3e-3,
    "bi_lora": 3e-3,
    "bitfit": 9e-3,
    "convpass": 3e-4,
    "dora": 1e-3,
    "fact_tk": 3e-3,
    "fact_tt": 3e-3,
    "full": 3e-4,
    "houlsby": 3e-3,
    "hta": 3e-3,
    "hta_adapter": 1e-2,
    "linear": 1e-2,
    "ln": 3e-3,
    "lora": 1e-3,
    "partial": 9e-4,
    "repadapter": 1e-3,
    "rlrr": 9e-3,
    "spt_adapter": 9e-3,
    "spt_lora": 3e-3,
    "ssf": 1e-2,
    "vpt_deep": 1e-2,
    "vpt_shallow": 3e-3,
}
"""The method's own rate, as it was."""


def with_rates(method: str, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """`recipe` with both rates, so that its run can be repeated."""
    if "head_lr" in recipe or "lr" not in recipe:
        return dict(recipe)
    rate = recipe["lr"] or RATES.get(method, 0.0)
    return {**recipe, "lr": rate, "head_lr": rate}
