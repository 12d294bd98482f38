"""What a run costs while it runs: seconds of its parts and peak memory."""

import sys
from time import perf_counter

import torch


class Stopwatch:
    """Counts the seconds of one part of a run, its steps for instance: `with stopwatch:` around
    each."""

    def __init__(self) -> None:
        self.start = perf_counter()
        self.seconds = 0.0
        """Inside the `with` blocks so far."""

    def __enter__(self) -> None:
        self._entered = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += perf_counter() - self._entered

    @property
    def since_start(self) -> float:
        """Seconds since it was made."""
        return perf_counter() - self.start


def memory_mb(device: torch.device) -> float:
    """Peak MB: allocated on the device with CUDA, resident in this process otherwise."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":  # bytes there, kilobytes elsewhere
        return peak / 1e6
    return peak / 1e3
