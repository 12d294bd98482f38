"""Run as a process of its own: `pickle_child.py IN OUT LIMIT` turns a .pth into a safetensors file.

It reads with `torch.load(weights_only=True)`, which builds tensors, numbers, strings and
containers and runs no code of the file. OUT holds every dense tensor under its dotted path; what
is no tensor is left out. LIMIT is the largest sum of tensors in bytes. A refusal is a sentence on
standard error and exit code 3. Nothing of the project is imported here, so that starting takes no
longer than torch does."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from safetensors.torch import save_file

REFUSED = 3
SAFE_GLOBALS: list[Any] = [argparse.Namespace]
"""A bag of values in which many training scripts keep their options."""


def tensors_in(value: Any, path: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Every dense tensor in nested dictionaries, by its dotted path."""
    if isinstance(value, torch.Tensor):
        if value.layout == torch.strided and not value.is_quantized:
            yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if isinstance(key, str):
                yield from tensors_in(part, f"{path}.{key}" if path else key)


def limit_memory(size: int) -> None:
    """At most `size` bytes of data in this process, where the system can hold it to that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def convert(source: str, target: str, limit: int) -> None:
    """Writes the tensors of `source` into `target`; `ValueError` if they are none or too many."""
    with torch.serialization.safe_globals(SAFE_GLOBALS):
        value = torch.load(source, map_location="cpu", weights_only=True)
    tensors = dict(tensors_in(value))
    if not tensors:
        raise ValueError("it holds no tensors by name")
    # An expanded tensor is small in the file and large when it is written out.
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > limit:
        raise ValueError(f"its tensors take more than {limit / 1e9:.0f} GB")
    save_file({name: t.detach().contiguous().clone() for name, t in tensors.items()}, target)


def main() -> None:
    """The process: one file in, one file out."""
    source, target, limit = sys.argv[1:]
    limit_memory(3 * int(limit))
    try:
        convert(source, target, int(limit))
    except Exception as error:  # torch.load meets hostile bytes with errors of every class
        print(str(error), file=sys.stderr)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
