"""A run as a generator of events (`train`, or `run_from_dataset` from its dataset on), and what
it would `cost`. `train.py` has one run, `tune.py` a search of many."""

from .cost import cost
from .doubt import calibrated
from .from_dataset import Trainer, run_from_dataset
from .origin import going_on
from .run import train

__all__ = ["Trainer", "calibrated", "cost", "going_on", "run_from_dataset", "train"]
