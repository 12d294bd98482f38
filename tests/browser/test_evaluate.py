"""Evaluate on the tab Adapters: a sentence, a matrix whose cells show their pictures."""

import pytest

from .steps import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("width", [1366, 390])
def test_an_adapter_says_where_it_errs(visit, width):
    page = visit("?tab=adapters", width=width)
    page.locator('#scatter [data-id="linear-digits-s0"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_have_text("linear-digits-s0")
    page.locator("#evaluate button").first.click()
    page.locator("#evaluate-it").click()
    expect(page.locator("#score")).to_contain_text("right,", timeout=120_000)
    expect(page.locator("#mistakes h3")).to_contain_text("the surest first")
    expect(page.locator("#mistakes .mistake").first).to_contain_text("said")
    page.locator("#confusion .right button").first.click()
    expect(page.locator("#mistakes h3")).to_contain_text("0, recognised")
    assert page.locator("#confusion th[scope=row]").count() == 10
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("The images chosen in Data").check()
    page.locator("#evaluate-it").click()
    expect(page.locator("#score")).to_contain_text("left out", timeout=180_000)
