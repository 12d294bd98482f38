"""A run as a generator of events (`train`, or `run_from_dataset` from its dataset on), and what
it would `cost`."""

from .cost import cost
from .from_dataset import Trainer, run_from_dataset
from .origin import going_on
from .train import train

__all__ = ["Trainer", "cost", "going_on", "run_from_dataset", "train"]
