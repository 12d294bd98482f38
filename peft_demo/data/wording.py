"""Words for the line that says how a dataset was read."""

from collections.abc import Mapping

_WORDS = {"train": "train", "val": "validation", "test": "test", "unlabelled": "no labels"}
_PLAIN = {
    "train": {"train", "training"},
    "val": {"validation"},
    "test": {"test", "testing"},
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def splits_clause(splits: Mapping[str, str]) -> str:
    """{"train": "train", "eval": "val"} → "two splits, train and eval→validation"."""
    order = list(_WORDS)
    ordered = sorted(splits.items(), key=lambda item: order.index(item[1]))
    shown = [
        name if name.lower() in _PLAIN.get(part, ()) else f"{name}→{_WORDS[part]}"
        for name, part in ordered
    ]
    if not shown:
        return "no splits"
    return f"{number(len(shown), 'split')}, {joined(shown)}"


def number(count: int, noun: str) -> str:
    """two splits, one split, 12 splits"""
    word = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{word} {noun}{'' if count == 1 else 's'}"


def joined(words: list[str]) -> str:
    """a, b and c"""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
