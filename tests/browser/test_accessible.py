"""Every tab in both themes, looked at by axe-core: what WCAG 2.2 asks for and a program can see."""

import pytest

from .steps import axe_finds, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["classify", "data", "train", "adapters", "help"])
def test_nothing_stands_in_the_way(visit, tab, theme):
    page = visit(f"?tab={tab}&__theme={theme}")
    expect(page.get_by_role("tab", name=tab.capitalize(), exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    if tab == "data":
        expect(page.locator("#report")).to_contain_text("train", timeout=120_000)
        expect(page.locator("#previews img").first).to_be_visible()
    page.wait_for_timeout(2500)  # pictures, tables and answers come after the tab
    assert axe_finds(page) == []
