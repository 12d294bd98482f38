"""Columns of a table that say splits: by words, by yes and no, or by values that a person names."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .labels import class_name
from .names import listed
from .places import Choice
from .split_words import split_name
from .tables import Table

BITS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
_OPPOSITE = {"train": "test", "val": "train", "test": "train"}
"""What is meant where a column "is_train" says no."""
_CALLED = re.compile(r"split|fold(?!e)|partition|subset|phase|usage|^set$|^cv$")
_MOST = 20
"""A column with more different values sorts the pictures by something else."""


def _word(cell: Any) -> str:
    """What a cell says, in lower case: "train", "0" of 0.0, "" of a gap."""
    return (class_name(cell) or "").lower()


def find_split(table: Table, names: Sequence[str], choice: Choice) -> tuple[str, dict[str, str]]:
    """(the column of splits, its cells → parts); ("", {}) if there is none.

    Numbers mean nothing by themselves: they count where `choice` names them.
    """
    for name in names:
        parts = _named_parts(name, _words(table, name), choice or {})
        if parts:
            return name, parts
    for name in names:
        parts = _parts_of(name, _words(table, name))
        if parts:
            return name, parts
    return "", {}


def possible_splits(tables: Sequence[Table]) -> dict[str, Table]:
    """The columns that may say splits, by their names, each with the first table that has it;
    whether or not their cells are understood."""
    found: dict[str, Table] = {}
    for table in tables:
        for name in table.columns:
            if _is_called_so(name) and 2 <= len(_words(table, name)) <= _MOST:
                found.setdefault(name, table)
    return found


def unused_notice(column: str, table: Table, by_table: bool, has_labels: bool) -> str:
    """That a column may say splits and is not used, and how to use it.

    `by_table`: whether the classes are those of the table; `has_labels`: whether they could be.
    """
    text = f"The column {column!r} of {table.name} may say splits; it is not used."
    if by_table:
        values = listed(_words(table, column))
        return f"{text} --splits says which of its values ({values}) train, validate and test."
    if has_labels:
        return f"{text} Classes come from folders; --classes-from table takes both from the table."
    return f"{text} Classes come from folders, and columns give splits only beside classes."


def unnamed_notice(table: Table, column: str, choice: Choice) -> str:
    """Which values of the column of splits a person has not named, "" if none or without a
    choice."""
    rest = _words(table, column) - choice.keys() if choice and column else ()
    if not rest:
        return ""
    return (
        f"--splits does not name {listed(rest)} of the column {column!r} of {table.name}: these "
        "pictures are in no split and may train."
    )


def said_part(word: str, known: str, choice: Choice) -> str:
    """The part that a cell says: what a person says it is, else what it is known for."""
    return known if choice is None else choice.get(word.lower(), "")


def part_of_name(name: str, choice: Choice) -> str:
    """The part that a table's name says, "" for none."""
    if choice is not None:
        return choice.get(name.strip().lower(), "")
    said = split_name(name)
    return said.part if said and said.part != "unlabelled" else ""


def _words(table: Table, column: str) -> set[str]:
    return {_word(cell) for cell in table.values(column)}


def _is_called_so(column: str) -> bool:
    """Whether a column is called like splits: "split", "fold", "is_test"."""
    said = split_name(column)
    if said and said.rest in ("", "is", "in"):
        return True
    return bool(_CALLED.search(column.strip().lower()))


def _named_parts(column: str, words: set[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Cell → part, as a person says it of the cells of a column that is called like splits."""
    if not _is_called_so(column):
        return {}
    return {word: part for word, part in chosen.items() if word in words}


def _parts_of(column: str, words: set[str]) -> dict[str, str]:
    """Cell → part, if these are the cells of a column of splits: names of them, or yes and no
    under "is_train"."""
    if not 2 <= len(words) <= 6:
        return {}
    said = split_name(column)
    if words <= BITS.keys() and said and said.rest in ("", "is") and said.part in _OPPOSITE:
        return {word: said.part if BITS[word] else _OPPOSITE[said.part] for word in words}
    named = {word: split for word in words if (split := split_name(word))}
    parts = {word: split.part for word, split in named.items()}
    plain = all(not split.rest for split in named.values())
    several = "train" in parts.values() and len(set(parts.values())) > 1  # "public test"
    return parts if len(named) == len(words) and (plain or several) else {}
