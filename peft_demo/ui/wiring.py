"""How handlers are connected to events, and what they return."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, TypeVar

from gradio.blocks import BlockContext
from gradio.components import Component, Dropdown, Radio

Part = Component | BlockContext
"""Whatever a handler can change."""

Updates = dict[Part, Any]
"""Component → its new value, or a component that carries its new settings. What most handlers
return.
"""

Values = Mapping[Any, Any]
"""Component → its value: what a handler is given whose inputs are a set."""

TO_TOP = "() => window.scrollTo({top: 0})"
"""What a button leads to is seen from its beginning."""

List = TypeVar("List", Dropdown, Radio)


def relisted(kind: type[List], choices: Sequence[Any], chosen: Any, value: Any) -> List:
    """An update that gives a list new choices, and a value only where it is not what was `chosen`.

    On a busy machine an answer comes late: a value that it merely repeats would undo what was
    chosen meanwhile.
    """
    return kind(choices) if value == chosen else kind(choices, value=value)


class Queued(TypedDict):
    api_visibility: Literal["private"]
    show_progress: Literal["full", "minimal", "hidden"]


class Unqueued(Queued):
    queue: bool


class Limited(Queued):
    concurrency_id: str
    concurrency_limit: int


QUEUED: Queued = {"api_visibility": "private", "show_progress": "hidden"}
"""For a handler that a person waits for. Gradio shows errors and toasts only of handlers on its
queue.
"""

WATCHED: Queued = {"api_visibility": "private", "show_progress": "full"}
"""For one that reports its progress, which Gradio draws over the outputs."""

UNQUEUED: Unqueued = {**QUEUED, "queue": False}
"""For a handler that only redraws and has nothing to say: no queue, no spinner."""

ON_DEVICE: Limited = {
    "api_visibility": "private",
    "show_progress": "minimal",
    "concurrency_id": "gpu",
    "concurrency_limit": 1,
}
"""For a handler that runs a model: one at a time over the whole app."""

BESIDE: Limited = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_id": "many",
    "concurrency_limit": 2,
}
"""For one that may run a model for long: two over the whole app, beside what is answered at once.
"""
