"""The tab Adapters: found by chips, several at once, and nothing is lost by a wrong click."""

import re
import zipfile
from pathlib import Path

import pytest

from .steps import axe_finds, expect, open_adapter, tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "adapters_zoo" / "lora-shapes-s0.safetensors"
RIGHT = re.compile(r"1\d\d of 128 right, \d+ to \d+ %")
WIDTHS = pytest.mark.parametrize("width", [1366, 390])


def card(page, name: str):
    return page.locator(f'#adapters [data-open="{name}"]')


def tick(page, *names: str) -> None:
    for name in names:
        page.locator(f'#adapters [data-tick="{name}"]').check()
    expect(page.locator("#count")).to_contain_text(f"{len(names)} chosen")


def add(page, *names: str, content: bytes = b"") -> None:
    """Adds copies of a shipped adapter under these file names."""
    expect(page.locator("#add")).to_be_visible()  # the list has come back,
    page.wait_for_timeout(500)  # and an open panel with it
    if not page.locator("#import").is_visible():
        page.locator("#add").click()
    content = content or SHIPPED.read_bytes()
    kind = "application/octet-stream"
    files = [{"name": name, "mimeType": kind, "buffer": content} for name in names]
    page.locator("#import input[type=file]").set_input_files(files)


def fits(page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@WIDTHS
def test_cards_are_found_by_chips_search_and_order(visit, width):
    page = visit("?tab=adapters", width=width)
    expect(card(page, "arc-shapes-s0")).to_be_visible()
    expect(card(page, "arc-shapes-s0")).to_contain_text(RIGHT)
    page.get_by_label("digits 5", exact=True).check()
    expect(card(page, "arc-shapes-s0")).to_have_count(0)
    expect(page.locator("#adapters .adapter")).to_have_count(5)
    expect(page.locator("#scatter .point")).to_have_count(5)
    page.locator("#search :is(input, textarea)").fill("bi-lora")
    expect(page.locator("#adapters .adapter")).to_have_count(1)
    page.locator("#search :is(input, textarea)").fill("")
    page.get_by_label("Table", exact=True).check()
    page.get_by_role("button", name="Size", exact=True).click()
    first = page.locator("#adapters tbody th").first
    expect(first).to_have_text("linear-digits-s0")
    fits(page, width)
    page.get_by_label("Cards", exact=True).check()
    expect(page.locator(".four i").first).to_be_visible()
    loaded = "getComputedStyle(document.querySelector('.four i')).backgroundImage.startsWith('url')"
    page.wait_for_function(loaded, timeout=60_000)


@WIDTHS
def test_several_are_downloaded_deleted_and_had_back(visit, width, tmp_path):
    page = visit("?tab=adapters", width=width)
    names = [f"one-{width}", f"two-{width}"]
    add(page, *(f"{name}.safetensors" for name in names))
    tick(page, *names)
    assert axe_finds(page) == []
    with page.expect_download() as download:
        page.locator("#download-chosen").click()
    download.value.save_as(tmp_path / "several.zip")
    with zipfile.ZipFile(tmp_path / "several.zip") as archive:
        assert archive.namelist() == [f"{name}.safetensors" for name in names]
        assert archive.read(archive.namelist()[0]) == SHIPPED.read_bytes()
    page.locator("#delete-chosen").click()
    for name in names:
        expect(card(page, name)).to_have_count(0)
    expect(page.locator("#adapters :checked")).to_have_count(0)
    expect(page.locator("#deleted")).to_contain_text("2 adapters lie in the trash")
    page.locator("#undo").click()
    for name in names:
        expect(card(page, name)).to_be_visible()
    expect(page.locator("#undo")).to_be_hidden()
    fits(page, width)


def test_a_file_added_twice_is_told_its_name_each_time(visit):
    page = visit("?tab=adapters")
    for told in ("Added as my-twin.", "Added as my-twin-2."):
        add(page, "My twin.safetensors")
        expect(page.get_by_text(told, exact=True)).to_be_visible()
    expect(card(page, "my-twin-2")).to_be_visible()


def test_half_a_lora_of_peft_says_what_is_missing_once(visit):
    page = visit("?tab=adapters")
    add(page, "adapter_config.json", content=b"{}")
    toast = page.get_by_test_id("toast-text")
    expect(toast).to_have_count(1)
    expect(toast).to_contain_text("adapter_model.safetensors is missing")


@WIDTHS
def test_the_trash_gives_back_and_is_emptied_by_the_second_click(visit, width):
    page = visit("?tab=adapters", width=width)
    name = f"thrown-{width}"
    add(page, f"{name}.safetensors")
    open_adapter(page, name)
    page.locator("#edit button").first.click()
    page.locator("#delete").click()
    expect(card(page, name)).to_have_count(0)
    add(page, f"{name}.safetensors")
    expect(card(page, name)).to_be_visible()
    page.locator("#trash button").first.click()
    page.locator("#in-trash label", has_text=name).locator("input").check()
    page.locator("#restore").click()
    expect(page.get_by_text(f"Put back as {name}-2", exact=False).first).to_be_visible()
    expect(card(page, f"{name}-2")).to_be_visible()
    expect(page.locator("#in-trash")).to_be_hidden()
    tick(page, f"{name}-2")
    page.locator("#delete-chosen").click()
    expect(page.locator("#trash")).to_be_visible()
    if not page.locator("#empty-trash").is_visible():
        page.locator("#trash button").first.click()
    page.locator("#empty-trash").click()
    expect(page.locator("#empty-trash")).to_have_text("Really delete all for good?")
    page.locator("#empty-trash").click()
    expect(page.locator("#trash")).to_be_hidden()
    fits(page, width)


@WIDTHS
def test_two_answer_as_one_and_are_compared(visit, width):
    page = visit("?tab=adapters", width=width)
    tick(page, "lora-shapes-s0", "arc-shapes-s0")
    page.locator("#together").click()
    expect(page.locator("#team")).to_contain_text("weights averaged", timeout=120_000)
    expect(page.locator("#team tr")).to_have_count(5)
    expect(page.locator("#team")).to_contain_text(re.compile("points beside (lora|arc)-shapes-s0"))
    fits(page, width)
    if width == 1366:
        assert axe_finds(page) == []
    page.locator("#compare").click()
    expect(page.locator("#image")).to_be_visible()
    expect(page.locator("#answer-1")).to_contain_text("%", timeout=60_000)
    expect(page.locator("#above-answers")).to_contain_text("All 2 averaged")


@WIDTHS
def test_one_is_opened_exported_and_left_again(visit, width):
    page = visit("?tab=adapters", width=width)
    open_adapter(page, "lora-shapes-s0")
    expect(page.locator("#card")).to_contain_text("Source checkpoint")
    page.locator("#export button").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="peft (zip)").click()
    assert download.value.suggested_filename == "lora-shapes-s0-peft.zip"
    expect(page.locator("#export-notes")).to_contain_text("rank 8")
    fits(page, width)
    if width == 1366:
        assert axe_finds(page) == []
    page.locator("#back").click()
    expect(card(page, "lora-shapes-s0")).to_be_focused()
    open_adapter(page, "hta-digits-s0")
    page.get_by_role("button", name="peft (zip)").click()
    expect(page.locator("#export-notes")).to_contain_text("Not written.")


def test_the_tab_opens_at_once(visit):
    """Half a second on a quiet machine; here it may be a busy one."""
    page = visit()
    tab(page, "Adapters")
    expect(page.locator("#adapters .adapter").first).to_be_visible()
    tab(page, "Help")
    opened = page.evaluate(
        """() => new Promise((done) => {
            const begin = performance.now()
            const tabs = [...document.querySelectorAll("[role=tab]")]
            tabs.find((tab) => tab.textContent.trim() === "Adapters").click()
            const look = () => document.querySelector("#adapters .adapter")?.offsetParent
                ? done(performance.now() - begin) : requestAnimationFrame(look)
            look()
        })"""
    )
    assert opened < 2500
