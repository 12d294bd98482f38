"""SPT: a survey of the training images decides which weights are worth training, and how.

He et al., "Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning", ICCV 2023. The sensitivity of
a weight is its squared gradient. A matrix with many sensitive weights gets a module as a whole; of
others, the sensitive entries train alone:

    SPT-LoRA      y = x Wᵀ + b + drop(x Aᵀ) Bᵀ                        r (d_in + d_out) parameters
    SPT-Adapter   y = x Wᵀ + b;  y + drop(GELU(y A_dᵀ + a)) A_uᵀ + c        2 r d_out + r + d_out
    entries       y = x (W + scatter(δ))ᵀ + b + scatter(δ_b)                one for each entry

with r = 8. The budget is a share of the backbone's parameters. On a D×D matrix of ViT-B a module
takes 1228.8 sensitive weights of SPT-LoRA. The class token always trains.

- `delta`: what stands at a linear.
- `pieces`: what can be trained, and for how many parameters.
- `survey`: measures sensitivity on at most 16 batches of 32 training images.
- `allocation`: which weights train, and how.

Decided here, and different from the authors' code: B and A_u start at zero, as the paper says
(theirs are overwritten with noise); images are drawn in random order (theirs are the first 512 of a
list); there is no drop path; dropout stands inside the bottleneck; the module at `proj` is as all
others (theirs reads the input); a norm with too few marks is neither counted nor trained (theirs is
counted and not trained); the total is filled up to the budget where it is more than 5 % off, which
it is in half of VTAB-1k (`fill=false` is the authors' rule).
Without a survey, to count or to build an adapter to look at, an allocation that looks at no image
is built.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ...contracts.families import WHOLE_TENSORS
from ...vit import Anatomy, Site
from ...vit.sites import MAPS
from .. import Method, Parts, never
from .allocation import Allocation, unsurveyed
from .delta import Bottleneck, Config, Entries, LowRankEntries, Module, Places
from .pieces import TARGETS, Terms, budget
from .survey import Survey


def build(
    module: Module,
    anatomy: Anatomy,
    config: Config,
    allocation: Allocation | Mapping[str, Any] | None = None,
) -> Parts:
    """What an allocation says: a survey's own, or its JSON from a card.

    Without one, what `unsurveyed` says. `BadValue` if it does not fit the backbone.
    """
    terms = Terms(module, anatomy, config)
    terms.check()
    allocation = _read(allocation, terms).checked(terms)
    deltas = {}
    for site in anatomy.at(*TARGETS):
        delta = _delta(module, site, config, allocation)
        if delta is not None:
            deltas[site.name] = delta
    replaces = tuple(name for name in allocation.vectors if name in anatomy.tensors)
    if terms.token:
        replaces = ("cls_token", *replaces)
    return Parts(deltas, replaces, extra=allocation.to_json())


def _read(allocation: Allocation | Mapping[str, Any] | None, terms: Terms) -> Allocation:
    if allocation is None:
        return unsurveyed(terms)
    if isinstance(allocation, Allocation):
        return allocation
    return Allocation.from_json(allocation)


def _delta(module: Module, site: Site, config: Config, allocation: Allocation) -> Entries | None:
    """What stands at a linear; None where nothing of it trains."""
    weight = f"{site.name}.weight"
    bias = f"{site.name}.bias"
    entries = allocation.at(weight, site.d_in * site.d_out)
    shift = allocation.at(bias, site.d_out)
    places = Places(entries, shift, bias in allocation.vectors)
    if site.name in allocation.structured:
        return module(site, config, places)
    if entries is None and shift is None and not places.whole_bias:
        return None
    return Entries(site, config, places)


SPT_LORA = Method(
    name="spt_lora",
    title="SPT-LoRA",
    summary="Surveys the images for sensitive weights: LoRA where a matrix has many, else these.",
    formula="y = f(x) + (x Aᵀ) Bᵀ  or  y = x (W + scatter(δ))ᵀ + b,  by sensitivity Σ g²",
    paper="He et al., Sensitivity-Aware Visual Parameter-Efficient Fine-Tuning, ICCV 2023",
    url="https://arxiv.org/abs/2303.08566",
    family=WHOLE_TENSORS,
    sites=MAPS,
    Config=Config,
    build=partial(build, LowRankEntries),
    count=budget,
    lr=3e-3,
    survey=partial(Survey, LowRankEntries),
)

SPT_ADAPTER = Method(
    name="spt_adapter",
    title="SPT-Adapter",
    summary="As SPT-LoRA, with a small bottleneck network behind each matrix with many of them.",
    formula="y + up(GELU(down(y))), y = f(x)  or  y = x (W + scatter(δ))ᵀ + b,  by sensitivity"
    " Σ g²",
    paper=SPT_LORA.paper,
    url=SPT_LORA.url,
    family=WHOLE_TENSORS,
    sites=MAPS,
    Config=Config,
    build=partial(build, Bottleneck),
    count=budget,
    lr=3e-3,
    merges=never,
    survey=partial(Survey, Bottleneck),
)
