"""The page's address names the open tab and the adapter that is asked: `?tab=train`, `?adapter=…`.

A reload, a bookmark or a link leads back to the same place.
"""

import gradio as gr

from .wiring import QUEUED

IS_READ = "() => { window.addressIsRead = true }"
"""To be run once the page has opened what its address names.

What the page itself opens and chooses is an event too, and would overwrite the address.
"""


def name_tab(tab: gr.Tab, id: str, is_first: bool) -> None:
    """Opening the tab writes it into the address; the first is opened by the page itself."""
    write = _writes("tab", once_read=is_first)
    tab.select(None, None, None, js=f'() => ({write})("{id}")', **QUEUED)


def name_adapter(adapter: gr.Dropdown) -> None:
    """Choosing an adapter writes it into the address; the first is chosen by the page itself."""
    adapter.change(None, adapter, None, js=_writes("adapter", once_read=True), **QUEUED)


def _writes(name: str, once_read: bool) -> str:
    """JavaScript of a function that writes what it is given into the address."""
    return f"""(value) => {{
      if ({str(once_read).lower()} && !window.addressIsRead) return
      const address = new URL(location.href)
      if (value) address.searchParams.set("{name}", value)
      history.replaceState(history.state, "", address)
    }}"""


def asked(request: gr.Request | None, name: str) -> str:
    """What the address says, "" for nothing."""
    if request is None:
        return ""
    return str(request.query_params.get(name, ""))[:200]
