"""The map of its pictures on the tab Adapters: two panes, a legend that is pressed, a table."""

import pytest

from .steps import axe_finds, expect, open_adapter

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("width", [1366, 390])
def test_an_adapter_shows_what_it_did_to_its_pictures(visit, width):
    page = visit("?tab=adapters", width=width)
    open_adapter(page, "lora-shapes-s0")
    page.locator("#data-map button").first.click()
    page.locator("#draw-map").click()
    expect(page.locator("#map-sentence")).to_contain_text("% after.", timeout=120_000)
    points = page.locator("#map-panes [data-n]")
    expect(points).to_have_count(256)
    assert "url(" in points.first.evaluate("(point) => getComputedStyle(point).backgroundImage")
    legend = page.locator("#map-panes [data-class]")
    legend.nth(1).click()
    expect(legend.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#map-panes .faded")).to_have_count(224)
    legend.nth(1).click()
    expect(page.locator("#map-panes .faded")).to_have_count(0)
    page.locator("#map-fold button").first.click()
    expect(page.locator("#map-table tr")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1366:
        assert axe_finds(page) == []
    page.locator("#back").click()
    open_adapter(page, "linear-digits-s0")
    expect(page.locator("#map-panes")).not_to_be_visible()
