"""Weights files, read and checked: names and shapes first, then the tensors."""

from collections.abc import Collection, Mapping

from safetensors import safe_open
from torch import Tensor

from ..contracts.errors import BadBackbone
from ..storage.header import Header, read_header
from .source import Source, timm_config

HEADER_LIMIT = 4_000_000
"""Bytes; the header of a 40-block ViT takes about 60 kB."""
FLOATS = ("F32", "F16", "BF16")

Shapes = Mapping[str, tuple[int, ...]]


def read_tensors(source: Source) -> dict[str, Tensor]:
    """The tensors of a file under timm's names, head left out, in the dtype they have there.

    `BadBackbone` names the first tensor that is missing, unexpected or of another shape; nothing
    but the header has been read by then.
    """
    file = source.local_file
    header = read_header(file, HEADER_LIMIT, BadBackbone)
    expected = {name: tuple(t.shape) for name, t in source.empty().state_dict().items()}
    _check_names(source, header, expected)
    _check_shapes(source, header, expected)
    with safe_open(file, "pt") as opened:
        return {name: opened.get_tensor(name) for name in expected}


def _check_names(source: Source, header: Header, expected: Shapes) -> None:
    heads = _head_names(source.arch)
    names = {n for n in header.tensors if n.split(".")[0] not in heads or n in expected}
    for word, wrong in (
        ("lacks", expected.keys() - names),
        ("has an unexpected", names - expected.keys()),
    ):
        if wrong:
            raise BadBackbone(
                f"{source.local_file.name} is not a {source.arch}: it {word} {min(wrong)!r}.",
                _and_more(wrong),
            )


def _check_shapes(source: Source, header: Header, expected: Shapes) -> None:
    for name, shape in expected.items():
        dtype, actual = header.tensors[name]
        if actual != shape or dtype not in FLOATS:
            raise BadBackbone(
                f"{source.local_file.name} is not a {source.arch}: "
                f"{name} is {dtype} {list(actual)}, expected {list(shape)}."
            )


def _and_more(names: Collection[str]) -> str:
    return f"({len(names)} such tensors.)" if len(names) > 1 else ""


def _head_names(arch: str) -> set[str]:
    """First parts of the names of the classifier's tensors."""
    classifier = timm_config(arch).classifier
    names = classifier if isinstance(classifier, list | tuple) else [classifier or "head"]
    return {name.split(".")[0] for name in names}
