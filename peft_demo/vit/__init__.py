"""Frozen Vision Transformers.

| file | its one idea |
|---|---|
| `seam.py` | what it means that a delta stands around a frozen map |
| `products.py` | low-rank products at a linear, and folded into its weight |
| `sites.py` | the roles of the places where one can stand |
| `anatomy.py` | the named parts of a model, rebuilt so that deltas reach them |
| `isotropic.py` `swin.py` `dinov3.py` | one family of timm's classes each |
| `source.py` | where weights come from, and the architecture they fill |
| `architecture.py` | an architecture without weights: its anatomy, its size |
| `catalogue.py` | which backbones there are |
| `local.py` `registration.py` `download.py` | on this machine, taken in from a file, from the Hub |
| `checkpoint.py` | a weights file, read and checked |
| `backbone.py` | a name → a `Backbone` in memory |
| `fingerprint.py` | who a backbone is |

The catalogue is there at once; all else, which stands on torch and timm, when first
asked for.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .catalogue import cards, find

if TYPE_CHECKING:
    from .anatomy import Anatomy, Site
    from .architecture import anatomy_of
    from .backbone import Backbone, best_device, load, wrap
    from .products import LowRank
    from .registration import register
    from .seam import Delta, Seam

__all__ = [
    "Anatomy",
    "Backbone",
    "Delta",
    "LowRank",
    "Seam",
    "Site",
    "anatomy_of",
    "best_device",
    "cards",
    "find",
    "load",
    "register",
    "wrap",
]

__getattr__ = lazy_names(
    __name__,
    {
        ".anatomy": ["Anatomy", "Site"],
        ".architecture": ["anatomy_of"],
        ".backbone": ["Backbone", "best_device", "load", "wrap"],
        ".registration": ["register"],
        ".products": ["LowRank"],
        ".seam": ["Delta", "Seam"],
    },
)
