"""The tab Compare: chosen, priced, started; the table fills, a restart goes on, files are saved."""

import csv
import io
import json

import pytest

from .steps import axe_finds, expect, tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def set_up(page, methods: list[str]) -> None:
    """A small comparison: bundled digits, one seed, one and two shots, two epochs."""
    page.locator("#compare-methods .remove-all").click()
    field = page.locator("#compare-methods input")
    for word in methods:
        field.fill(word)
        field.press("Enter")
    field.blur()
    expect(page.locator("#compare-methods [role=option]")).to_have_count(0)
    page.locator("#compare-shots").get_by_label("16", exact=True).uncheck()
    for shots in ("1", "2"):
        page.locator("#compare-shots").get_by_label(shots, exact=True).check()
    page.get_by_label("number input for Seeds").fill("1")
    page.get_by_label("number input for Seeds").press("Enter")
    page.get_by_label("Epochs").filter(visible=True).fill("2")


def test_a_comparison_is_started_fills_its_table_and_outlives_a_restart(visit, server):
    page = visit("?tab=compare")
    tab(page, "Compare")
    set_up(page, ["linear", "lora:rank=2"])
    expect(page.locator("#compare-cost")).to_contain_text("4 runs")
    page.locator("#compare-start").click()
    expect(page.locator(".compared tbody tr")).to_have_count(2)
    expect(page.locator(".compared button").first).to_be_visible()
    server.restart()
    page = visit("?tab=compare")
    state = page.locator("#compare-progress .state")
    expect(state).to_contain_text("runs")
    if "Stopped" in state.inner_text():
        page.locator("#compare-go-on").click()
    expect(state).to_contain_text("Done", timeout=180_000)
    expect(page.locator(".compared button")).to_have_count(2)
    page.locator(".compared button").first.click()
    expect(page.locator("#compare-cell svg")).to_have_count(3)
    expect(page.locator("#compare-scatter .point")).to_have_count(2)
    assert axe_finds(page) == []
    runs = json.loads(saved(page, "JSON"))
    assert len(runs) == 4 and not any("error" in run for run in runs)
    rows = list(csv.DictReader(io.StringIO(saved(page, "CSV"))))
    assert [row["method"] for row in rows] == [run["method"] for run in runs]


def saved(page, name: str) -> str:
    with page.expect_download() as download:
        page.locator("#compare-how").get_by_role("button", name=name, exact=True).click()
    return download.value.path().read_text("utf-8")


def test_a_phone_shows_it_without_a_sideways_page(visit):
    page = visit("?tab=compare", width=390)
    expect(page.locator(".compared")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
