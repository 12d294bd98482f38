"""Frozen Vision Transformers: which there are (`catalogue`), how one is loaded (`load`), the places in it where a delta
can stand (`anatomy`), and what standing there means (`seam`)."""

from .anatomy import Anatomy, Site
from .catalogue import anatomy_of, cards, find, register
from .load import Backbone, load, wrap
from .seam import Delta, LowRank, Seam

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
