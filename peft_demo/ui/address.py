"""The page's address names the open tab and the adapter that is asked: `?tab=train`, `?adapter=…`.

A reload, a bookmark or a link leads back to the same place.
"""

import gradio as gr

from .wiring import QUEUED

_SET = """(value) => {
  if (!window.addressIsRead) return
  const address = new URL(location.href)
  if (value) address.searchParams.set("%s", value)
  history.replaceState(history.state, "", address)
}"""

IS_READ = "() => { window.addressIsRead = true }"
"""To be run once the page has opened what its address names: opening the first tab is an event too,
and would overwrite it.
"""


def name_tab(tab: gr.Tab, id: str) -> None:
    """Opening the tab writes it into the address."""
    js = _SET.replace("%s", "tab").replace("(value)", f'(value = "{id}")')
    tab.select(None, None, None, js=js, **QUEUED)


def name_adapter(adapter: gr.Dropdown) -> None:
    """Choosing an adapter writes it into the address."""
    adapter.change(None, adapter, None, js=_SET.replace("%s", "adapter"), **QUEUED)


def asked(request: gr.Request | None, name: str) -> str:
    """What the address says, "" for nothing."""
    if request is None:
        return ""
    return str(request.query_params.get(name, ""))[:200]
