"""Times of several calls, measured in turns: a machine that is busy meanwhile slows all alike."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import torch

Call = Callable[[], object]
Row = dict[str, Any]
"""What one thing costs, as JSON: "what" it is, "ms", and where they were measured "ratio" (a
multiple of the frozen model's time), "read_ms", "peft_ms" and "peft_ratio"."""

HEAD = ("WHAT", "MS", "× FROZEN", "READING", "PEFT MS", "PEFT × FROZEN", "× PEFT")


@torch.inference_mode()
def in_turns(
    calls: Mapping[str, Call], turns: int, clean_up: Mapping[str, Call] | None = None
) -> dict[str, list[float]]:
    """Seconds of each call, one of each in every turn; the first turn is not counted.

    `clean_up` is called after the call of the same name, outside the time.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            _wait_for_device()
            seconds[name].append(perf_counter() - start)
            if clean_up and name in clean_up:
                clean_up[name]()
    return {name: times[1:] for name, times in seconds.items()}


def _wait_for_device() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def milliseconds(seconds: Sequence[float], calls: int = 1) -> float:
    """The median over the turns, of one of `calls` calls that were timed together."""
    return 1e3 * median(seconds) / calls


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> float:
    """How many times the reference's time: the median over the turns."""
    return median(a / b for a, b in zip(seconds, reference, strict=True))


def printed(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`, empty where nothing was measured."""
    return [_cells(row) for row in rows]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row["what"],
        _number(row["ms"], 4),
        _number(row.get("ratio"), 2),
        _number(row.get("read_ms"), 2),
        _number(row.get("peft_ms"), 3),
        _number(row.get("peft_ratio"), 2),
        _number(_multiple_of_peft(row), 3),
    )


def _multiple_of_peft(row: Row) -> float | None:
    if "peft_ratio" in row:
        return row["ratio"] / row["peft_ratio"]
    if "peft_ms" in row:
        return row["ms"] / row["peft_ms"]
    return None


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
