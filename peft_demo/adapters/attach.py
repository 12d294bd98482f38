"""attach(backbone, adapter) → a model: a new tree over the backbone's own tensors, with the
adapter's seams in it.

The backbone is another object and never changes, so there is nothing to detach. Choosing another
adapter is choosing another attached model. Never cast or move one: its tensors are shared.
"""

from torch import nn

from ..contracts.errors import BadValue
from ..vit import Anatomy, Backbone
from ..vit.anatomy import split_qkv, tree_name
from ..vit.seam import bind, put, put_seams, share_tensors
from .adapter import Adapter
from .strength import between, scaled


def attach(backbone: Backbone, adapter: Adapter, strength: float = 1.0) -> nn.Module:
    """The adapted model: images [B 3 S S] → logits [B C].

    `strength` scales what the adapter adds, see the file of that name. `BadValue` names a site that
    would never fire.
    """
    anatomy = backbone.anatomy
    check_sites(anatomy, adapter)
    tree = share_tensors(backbone.model)
    replace_tensors(tree, adapter, strength)
    deltas = scaled(adapter.by_site(), strength)
    for name in deltas:
        split_qkv(tree, anatomy.sites[name])
    put_seams(tree, {anatomy.sites[name].path: delta for name, delta in deltas.items()})
    put(tree, anatomy.head, adapter.head)
    return tree


def without_head(model: nn.Module, anatomy: Anatomy) -> nn.Module:
    """The same model up to its head, over the same tensors: images [B 3 S S] → features [B D]."""
    tree = share_tensors(model)
    put(tree, anatomy.head, nn.Identity())
    return tree


def check_sites(anatomy: Anatomy, adapter: Adapter) -> None:
    """`BadValue` for a delta where the model never passes, or a replaced tensor it has not."""
    for name in adapter.by_site():
        if name not in anatomy.sites:
            raise BadValue(f"{anatomy.arch} has no site {name!r}.", anatomy.silent.get(name, ""))
    for name in adapter.replaced():
        if name not in anatomy.tensors:
            raise BadValue(f"{anatomy.arch} has no tensor {name!r}.")


def replace_tensors(tree: nn.Module, adapter: Adapter, strength: float = 1.0) -> None:
    """Binds the adapter's own parameters where frozen ones stood in `tree`."""
    for name, parameter in adapter.replaced().items():
        frozen = tree.get_parameter(tree_name(name))
        bind(tree, tree_name(name), between(frozen, parameter, strength))
