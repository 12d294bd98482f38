"""What a first visit costs, and that no tab complains in the browser's console."""

import pytest

from .steps import expect, tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_BYTES = 1_200_000
MOST_REQUESTS = 160
"""Nine of ten are Gradio's own scripts and style sheets, one pair a component."""
TABS = ("Data", "Train", "Adapters", "Help", "Classify")
MEASURE = """() => {
  const types = ["resource", "navigation"]
  const loaded = types.flatMap((type) => performance.getEntriesByType(type))
  return [loaded.length, loaded.reduce((sum, entry) => sum + entry.transferSize, 0)]
}"""


def test_a_first_visit_is_small(visit):
    page = visit()
    expect(page.locator("#answer-0")).to_contain_text("answered")
    page.wait_for_timeout(2000)  # pictures come after words
    requests, size = page.evaluate(MEASURE)
    assert size <= MOST_BYTES and requests <= MOST_REQUESTS


def test_no_tab_complains_in_the_console(visit):
    page = visit()
    said = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    expect(page.locator("#answer-0")).to_contain_text("answered")
    for name in TABS:
        tab(page, name)
        page.wait_for_timeout(1500)
    assert [line for line in said if line.startswith(("error", "warning"))] == []
