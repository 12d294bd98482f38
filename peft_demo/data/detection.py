"""Annotations of boxes and outlines: such sets are not for classification, and are named for what
they are."""

import json
import re
from collections.abc import Mapping

from ..contracts.errors import BadImage
from .formats import suffix
from .listing import File
from .sorting import SortedFiles

_LOOKED_AT = 20
"""Files of each kind."""
_LARGEST = 64 * 2**20
"""Bytes of an annotation file that is looked into."""
_BOX = re.compile(rb"\s*\d+(\s+-?[\d.]+){4,}\s*")
"""A line of YOLO: a class and four numbers or more."""


def describe_detection(files: SortedFiles) -> str:
    """A sentence that says which annotations of boxes lie beside the pictures; "" if there are
    none."""
    for ending, what, test in _KINDS:
        beside = [file for file in files.others if suffix(file.parts[-1]) == ending]
        named = next((file.name for file in beside[:_LOOKED_AT] if test(_content(file))), "")
        if named:
            return (
                f"{named} holds boxes or outlines ({what}): a detection set, and here a picture "
                "takes one label."
            )
    return ""


def _content(file: File) -> bytes:
    if file.size > _LARGEST:
        return b""
    try:
        return file.read()
    except BadImage:
        return b""


def _is_coco(content: bytes) -> bool:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, Mapping) and {"images", "annotations"} <= value.keys()


def _is_yolo(content: bytes) -> bool:
    lines = content.splitlines()
    return bool(lines) and all(map(_BOX.fullmatch, lines))


def _is_voc(content: bytes) -> bool:
    return b"<annotation" in content and b"<object" in content


_KINDS = (
    (".json", "COCO", _is_coco),
    (".txt", "YOLO", _is_yolo),
    (".xml", "Pascal VOC", _is_voc),
)
"""(suffix, what it is called, whether a file's content is that)"""
