"""What it changed on the tab Adapters: opened, it compares; a cell shows its place."""

import pytest

from .steps import axe_finds, expect, open_adapter

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("width", [1366, 390])
def test_an_adapter_shows_what_it_changed(visit, width):
    page = visit("?tab=adapters", width=width)
    open_adapter(page, "lora-digits-s0")
    assert page.locator("#change-grid button").count() == 0
    page.locator("#changes button").first.click()
    expect(page.locator("#change-grid [data-place]")).to_have_count(24)
    expect(page.locator("#changes-sentence")).to_contain_text("trained numbers in 24 places")
    page.get_by_role("button", name="v in block 3:").click()
    expect(page.locator("#change-place h3")).to_have_text("v in block 3")
    expect(page.get_by_role("button", name="v in block 3:")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_label("Trained numbers").check()
    expect(page.get_by_role("button", name="v in block 3:")).to_contain_text("100 %")
    page.locator("#change-place summary").first.click()
    expect(page.locator("#change-place details[open] tr").nth(1)).to_contain_text("1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe_finds(page) == []
    page.locator("#back").click()
    open_adapter(page, "spt-lora-digits-s0")
    expect(page.locator("#change-grid")).not_to_be_visible()
    page.locator("#changes button").first.click()
    expect(page.locator("#change-grid")).to_contain_text("Outside the blocks")
