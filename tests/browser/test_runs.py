"""Runs wait in line, and are renamed, deleted and taken back, on a screen and on a phone."""

import re

import pytest

from .steps import expect, press_start, start, tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = pytest.mark.parametrize("width", [1366, 390])


def listed(page, name: str):
    """The line of a run in the list."""
    return page.locator("#runs li").filter(has_text=name)


@WIDTHS
def test_runs_wait_in_line_and_the_next_begins_by_itself(visit, width):
    page = visit(width=width)
    start(page, "LoRA", epochs=500, shots=1)
    expect(page.locator("#headline")).to_contain_text("Training")
    page.get_by_label("Epochs").fill("1")
    expect(page.locator("#start")).to_have_text("Train this next")
    for place in ("next in line", "2nd in line"):
        page.locator("#start").click()
        expect(page.locator("#line")).to_contain_text(place)
    later = page.locator("#line li").nth(1)
    id = later.get_attribute("data-id")
    later.get_by_role("button", name="Earlier").click()
    expect(page.locator("#line li").first).to_have_attribute("data-id", id)
    page.reload()  # the address names the tab
    waiting = page.locator("#line li")
    expect(waiting).to_have_count(2)
    waiting.nth(1).get_by_role("button", name="Cancel").click()
    expect(waiting).to_have_count(1)
    expect(waiting).to_have_attribute("data-id", id)
    page.locator("#stop").click()
    expect(page.locator("#line li")).to_have_count(0)
    expect(page.locator(f'#runs .open[data-id="{id}"]')).to_contain_text("right", timeout=120_000)


def in_sight(page, selector: str) -> bool:
    """Whether all of the element is within the window."""
    box = page.locator(selector).bounding_box()
    height = page.viewport_size["height"]
    return box["y"] >= 0 and box["y"] + box["height"] <= height


@WIDTHS
def test_start_is_always_in_sight_and_a_phone_goes_to_the_progress(visit, width):
    page = visit(width=width, height=700)
    tab(page, "Train")
    page.get_by_label("Epochs").fill("1")
    expect(page.locator("#start")).to_be_enabled()
    page.get_by_role("button", name="Advanced").click()
    expect(page.locator("#tune")).to_be_visible()
    for y in (0, 300):
        page.evaluate(f"scrollTo(0, {y})")
        page.wait_for_timeout(300)
        assert in_sight(page, "#start") and in_sight(page, "#cost")
    page.evaluate("scrollTo(0, 0)")
    press_start(page)
    expect(page.locator("#headline")).to_contain_text(
        re.compile(r"\d+ of \d+ right"), timeout=120_000
    )
    assert in_sight(page, "#headline h2")


def test_a_method_is_chosen_from_its_family_with_its_own_rate(visit):
    page = visit()
    tab(page, "Train")
    page.get_by_role("button", name="All methods by family").click()
    expect(page.locator("#methods")).to_contain_text("numbers ·")
    before = page.get_by_label("Learning rate").input_value()
    page.locator('#methods [data-id="ssf"]').click()
    expect(page.get_by_role("combobox", name="Method", exact=True)).to_have_value("SSF")
    expect(page.get_by_label("Learning rate")).not_to_have_value(before)
    expect(page.locator("#start")).to_be_enabled()
    page.locator("#cost").get_by_text("trainable").wait_for()


def test_curves_are_saved_as_png_and_csv(visit, tmp_path):
    page = visit()
    tab(page, "Train")
    page.get_by_label("Epochs").fill("2")
    expect(page.locator("#start")).to_be_enabled()
    press_start(page)
    expect(page.locator("#headline")).to_contain_text("Finished", timeout=120_000)
    for name, opening in (("png", b"\x89PNG"), ("csv", b"run,step,seconds,")):
        with page.expect_download() as download:
            page.locator(f"#save-{name}").click()
        download.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(opening)


@WIDTHS
def test_a_run_is_renamed_found_deleted_and_taken_back(visit, width):
    page = visit(width=width)
    tab(page, "Train")
    page.get_by_label("Epochs").fill("1")
    expect(page.locator("#start")).to_be_enabled()
    press_start(page)
    expect(page.locator("#headline")).to_contain_text("Finished", timeout=120_000)
    title = f"Mine at {width}"
    page.get_by_role("button", name="Rename").click()
    page.locator("#run-title textarea, #run-title input").fill(title)
    page.locator("#run-title button").click()
    expect(listed(page, title)).to_have_count(1)
    expect(page.locator("#run-title")).to_be_hidden()
    page.locator("#runs-words :is(input, textarea)").fill(f"{width} lora")
    expect(page.locator("#runs li")).to_have_count(1)
    expect(listed(page, title)).to_contain_text(re.compile(r"\d+ of \d+ right"))
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#run-undo")).to_contain_text(title)
    expect(page.locator("#runs")).to_contain_text("No run has these words")
    page.get_by_role("button", name="Undo").click()
    expect(listed(page, title).locator(".open")).to_have_attribute("aria-current", "true")
    expect(page.locator("#run-undo")).to_be_hidden()
