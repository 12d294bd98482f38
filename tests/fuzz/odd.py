"""JSON that nobody expects, and places in a JSON value to put it."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

HUGE = 10**400
NESTED = json.loads("[" * 400 + "]" * 400)

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 5, 2**31, 2**63, HUGE, -HUGE, 0.0, 1.5, 1e-300, 1e308,
    float("nan"), float("inf"), -float("inf"),
    "", " ", "a", "a" * 600, "a" * 50_000, "a\nb", "a\tb", "\x00", "\x1b[31m",
    "\u202eabc", "a\u200b", "\ud800", "\ufeff", "../../x", "/etc/passwd", "CON",
    "<img src=x onerror=alert(1)>", "{{7*7}}",
    "`a` | b", "'; drop", "2026-13-45T99:99", "0" * 64, "f" * 64, "1e400", "NaN",
    [], [[]], [None], [True, True, True], [0.0, 0.0, 0.0], [1e-300] * 3, [0.5, 0.5, 0.5],
    ["a", "a"], ["a", ""], ["a", None], [[1, 2]], [[1, 1e308], [2, -1e308]], [[1]], NESTED,
    {}, {"a": None}, {"a": HUGE}, {"a": NESTED}, {"": 1}, {"\ud800": 1}, {"a" * 600: 1},
]  # fmt: skip

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)

VALUE = st.sampled_from(VALUES) | PLAIN

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Change:
    """One change of a JSON value: at `path`, "set" `value`, "delete", or "rename" the key to it."""

    action: str
    path: Path
    value: Any = None

    def apply(self, tree: Any) -> None:
        """Changes `tree` itself, unless an earlier change took the path away."""
        with suppress(KeyError, IndexError, TypeError):
            parent = tree
            for key in self.path[:-1]:
                parent = parent[key]
            key = self.path[-1]
            if self.action == "set":
                parent[key] = self.value
            elif self.action == "delete":
                del parent[key]
            elif isinstance(parent, dict):
                parent[self.value] = parent.pop(key)


def changes(tree: Any) -> st.SearchStrategy[Change]:
    """Changes of `tree`, of its outer parts as often as of its inner ones."""
    paths = st.sampled_from(_paths(tree, 1)) | st.sampled_from(_paths(tree, 9))
    put = st.builds(Change, st.just("set"), paths, VALUE)
    delete = st.builds(Change, st.just("delete"), paths)
    rename = st.builds(Change, st.just("rename"), paths, st.text(max_size=5))
    return put | put | put | delete | rename


def _paths(tree: Any, depth: int, path: Path = ()) -> list[Path]:
    found = [path] if path else []
    if depth == 0:
        return found
    if isinstance(tree, dict):
        for key, value in tree.items():
            found += _paths(value, depth - 1, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree[:3]):
            found += _paths(value, depth - 1, (*path, index))
    return found
