"""What a LoRA that also trained biases of the backbone does, as biases beside its products.

With W' the adapted weight of a linear, b the frozen bias and b' the trained one, the bias beside
the product of a linear is

    c = b' − b                     of its own bias, or of the patch embedding's
    c = W' (β' − β)                of the norm before it, whose bias went from β to β'

The last norm stands before the head, whose own bias takes it up. So nothing is lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from torch import Tensor

from ..vit import Backbone, Site
from ..vit.sites import QKV
from .change import Change, frozen, nothing
from .naming import NORMS, Naming

BEHIND = {"norm1": ("qkv", *QKV), "norm2": ("fc1",)}
"""Role of a norm → those of the linears behind it."""


def add_biases(
    changes: dict[str, Change],
    head: dict[str, Tensor],
    trained: Mapping[str, Tensor],
    naming: Naming,
    backbone: Backbone,
) -> None:
    """Puts what became of biases beside the products of `changes`, and into the `head`.

    `trained` are the biases that stand in the place of the backbone's, by the name of their site.
    """
    sites = {site.name: site for site in naming.sites.values()}
    moved = {name: b - frozen(backbone, sites[name])[1] for name, b in trained.items()}
    moved = {name: difference for name, difference in moved.items() if difference.any()}
    for name, difference in moved.items():
        if sites[name].role not in NORMS:
            _shift(changes, sites[name], difference)
    for name, difference in moved.items():
        if sites[name].role == "norm":
            head["bias"] += head["weight"] @ difference
        elif sites[name].role in NORMS:
            for site in _behind(sites[name], sites.values()):
                _shift(changes, site, _moved_weight(changes, site, backbone) @ difference)


def _behind(norm: Site, sites: Iterable[Site]) -> list[Site]:
    """The linears behind a norm of a block."""
    block = norm.name.rpartition(".")[0]
    names = [f"{block}.{role}" for role in BEHIND[norm.role]]
    return [site for site in sites if site.name in names]


def _shift(changes: dict[str, Change], site: Site, by: Tensor) -> None:
    change = changes.get(site.name) or Change(site, nothing(site))
    product = change.product
    shift = by if product.shift is None else product.shift + by
    changes[site.name] = replace(change, product=product._replace(shift=shift))


def _moved_weight(changes: Mapping[str, Change], site: Site, backbone: Backbone) -> Tensor:
    """W' [D_out D_in] of a linear: the frozen weight with its product."""
    W, _ = frozen(backbone, site)
    if site.name not in changes:
        return W
    product = changes[site.name].product
    return W + product.up @ product.down
