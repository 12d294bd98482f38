"""How handlers are connected to events, and what they return."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from gradio.blocks import BlockContext
from gradio.components import Component

Part = Component | BlockContext
"""Whatever a handler can change."""

Updates = dict[Part, Any]
"""Component → its new value, or a component that carries its new settings. What most handlers
return.
"""

Values = Mapping[Any, Any]
"""Component → its value: what a handler is given whose inputs are a set."""


class Queued(TypedDict):
    api_visibility: Literal["private"]
    show_progress: Literal["full", "minimal", "hidden"]


class Unqueued(Queued):
    queue: bool


class OnDevice(Queued):
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

ON_DEVICE: OnDevice = {
    "api_visibility": "private",
    "show_progress": "minimal",
    "concurrency_id": "gpu",
    "concurrency_limit": 1,
}
"""For a handler that runs a model: one at a time over the whole app."""
