"""What the tabs of one page share."""

from dataclasses import dataclass

import gradio as gr

from .session import browser_id, form_memory

IDLE_SECONDS = 3.0
"""Between two ticks while nothing runs."""


@dataclass(frozen=True)
class Page:
    """One page: everything here stands outside the tabs, so that it lives before a tab is first
    opened.
    """

    blocks: gr.Blocks
    client: gr.BrowserState
    """The browser's id; `session.valid_id` checks it."""
    timer: gr.Timer
    """Ticks for as long as the page is visible. Never switched off, only slowed: a page that was
    open before somebody pressed Start has to notice the run.
    """
    memory: gr.BrowserState
    """What the browser remembers of the forms; see `memory`."""
    zoo_changed: gr.State
    """A counter that grows whenever the list of adapters may have changed."""
    photos_changed: gr.State
    """A counter that grows when a photo is added to the class cards from another tab."""


def new_page(blocks: gr.Blocks) -> Page:
    """The shared parts, made in the open context."""
    return Page(
        blocks=blocks,
        client=browser_id(),
        memory=form_memory(),
        timer=gr.Timer(IDLE_SECONDS),
        zoo_changed=gr.State(0),
        photos_changed=gr.State(0),
    )
