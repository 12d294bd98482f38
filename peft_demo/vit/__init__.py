"""Frozen Vision Transformers.

| file | its one idea |
|---|---|
| `seam.py` | what it means that a delta stands around a frozen map |
| `sites.py` | the roles of the places where one can stand |
| `anatomy.py` | the named parts of a model, rebuilt so that deltas reach them |
| `isotropic.py` `swin.py` `dinov3.py` | one family of timm's classes each |
| `source.py` | where weights come from and what they fill |
| `catalogue.py` | which backbones there are |
| `local.py` `registration.py` `download.py` | on this machine, taken in from a file, from the Hub |
| `checkpoint.py` | a weights file, read and checked |
| `load.py` | a name → a `Backbone` in memory |
| `fingerprint.py` | who a backbone is |
"""

from .anatomy import Anatomy, Site
from .catalogue import cards, find
from .load import Backbone, load, wrap
from .registration import register
from .seam import Delta, LowRank, Seam
from .source import anatomy_of

__all__ = [
    "Anatomy",
    "Backbone",
    "Delta",
    "LowRank",
    "Seam",
    "Site",
    "anatomy_of",
    "cards",
    "find",
    "load",
    "register",
    "wrap",
]
