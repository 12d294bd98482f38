"""Lists drawn as HTML whose buttons tell the server what to do with which run."""

from html import escape
from typing import NamedTuple

import gradio as gr

SCRIPT = """
let last = null
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-act]")
  if (!pressed || pressed.disabled) return
  last = [pressed.dataset.act, pressed.dataset.id]
  trigger("select", {index: 0, value: last.join(" ")})
})
new MutationObserver(() => {
  if (!last || element.contains(document.activeElement)) return
  const [act, id] = last.map((word) => CSS.escape(word))
  const again = element.querySelector(`[data-act="${act}"][data-id="${id}"]:not([disabled])`)
  if (again) again.focus()
}).observe(element, {childList: true, subtree: true})
element.addEventListener("focusout", (event) => { if (event.relatedTarget) last = null })
"""
"""A press tells "act id". The list is then drawn anew, and the same button has the focus again."""


class Pressed(NamedTuple):
    act: str
    id: str
    """Whatever the browser sent: look it up, never trust it."""


def build(elem_id: str) -> gr.HTML:
    """An empty list, drawn into the open context; its `select` event is read by `read`."""
    return gr.HTML("", js_on_load=SCRIPT, padding=False, elem_id=elem_id)


def read(event: gr.SelectData) -> Pressed:
    """What was pressed."""
    act, _, id = str(event.value).partition(" ")
    return Pressed(act, id)


def button(act: str, id: str, words: str, more: str = "") -> str:
    """HTML of a button; `more` is further attributes, already HTML."""
    return (
        f'<button type="button" data-act="{escape(act)}" data-id="{escape(id)}"{more}>'
        f"{escape(words)}</button>"
    )
