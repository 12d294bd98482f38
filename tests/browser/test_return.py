"""What a page shows is what it will do: after a reload, beside another page, and after a file was
taken back.
"""

import re

import pytest

from .steps import choose, class_zip, expect, give_zip, picture, press_start, source, start, tab

pytestmark = pytest.mark.browser

REMOVE = "#zip :is(button[aria-label=Clear], button[aria-label='Remove this file'])"


def test_a_zip_that_is_taken_back_is_not_trained_on(visit):
    page = visit()
    give_zip(page, class_zip())
    expect(page.locator("#report")).to_contain_text("2 classes")
    tab(page, "Train")
    expect(page.locator("#start")).to_be_enabled()
    tab(page, "Data")
    page.locator(REMOVE).first.click()
    expect(page.locator("#report")).not_to_contain_text("2 classes")
    tab(page, "Train")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator("#reason")).to_contain_text("Drop a zip")


@pytest.mark.slow
def test_a_zip_that_cannot_be_read_leaves_nothing_behind(visit):
    page = visit()
    give_zip(page, class_zip())
    expect(page.locator("#report")).to_contain_text("2 classes")
    page.locator(REMOVE).first.click()
    give_zip(page, b"no zip")
    expect(page.get_by_test_id("toast-text").first).to_contain_text("not a zip")
    expect(page.locator("#zip input[type=file]")).to_have_count(1)
    tab(page, "Train")
    expect(page.locator("#start")).to_be_disabled()


@pytest.mark.slow
def test_the_form_survives_a_reload(visit):
    page = visit()
    give_zip(page, class_zip())
    expect(page.locator("#report")).to_contain_text("2 classes")
    page.get_by_label("number input for Shots").fill("3")
    page.get_by_label("number input for Shots").press("Enter")
    tab(page, "Train")
    choose(page, "Method", "ARC")
    page.get_by_role("button", name="The same from the command line").click()
    page.get_by_label("Epochs").fill("7")
    expect(page.locator("#command")).to_contain_text("--epochs 7")  # comes with what is remembered
    page.reload()
    expect(page.get_by_role("tab", name="Train", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    expect(page.get_by_role("combobox", name="Method", exact=True)).to_have_value("ARC")
    expect(page.get_by_label("Epochs")).to_have_value("7")
    expect(page.get_by_text("your zip").first).to_be_visible()
    tab(page, "Data")
    expect(page.get_by_label("number input for Shots")).to_have_value("3")
    expect(page.locator("#zip-in-use")).to_contain_text("things")
    expect(page.locator("#report")).to_contain_text("2 classes")


@pytest.mark.slow
def test_the_address_names_tab_and_adapter(visit):
    page = visit()
    tab(page, "Adapters")
    page.wait_for_url(re.compile("tab=adapters"))
    tab(page, "Classify")
    box = page.get_by_role("combobox", name="Adapter", exact=True)
    box.click()
    page.get_by_role("option").nth(3).click()
    page.wait_for_url(re.compile("adapter="))
    adapter = box.input_value()
    other = visit(f"?tab=classify&adapter={adapter}")
    expect(other.get_by_role("combobox", name="Adapter", exact=True)).to_have_value(adapter)
    expect(other.locator("#answer-0")).to_contain_text(adapter)
    straight = visit("?tab=data")
    expect(straight.locator("#sources label", has_text="Zip file")).to_be_visible()


@pytest.mark.slow
def test_every_page_says_that_a_run_goes_on(visit):
    """Also one that has never opened Train; the browser's tab names the progress and the end."""
    page = visit()
    other = visit()
    start(page, "LoRA", epochs=1000, shots=1)
    expect(other.locator("#status")).to_contain_text("Training")
    expect(other.locator("#run-bar [role=progressbar]")).to_be_visible()
    other.wait_for_function("/^\\d+ % · PEFT Demo$/.test(document.title)")
    page.locator("#stop").click()
    expect(other.locator("#run-bar [role=progressbar]")).to_be_hidden()
    other.wait_for_function("document.title == 'Stopped · PEFT Demo'")


def test_start_says_what_is_missing_and_a_wrong_number_is_marked(visit):
    page = visit()
    tab(page, "Train")
    expect(page.locator("#start")).to_be_enabled()
    page.get_by_label("Epochs").fill("2.5")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator("#reason")).to_contain_text("Epochs takes")
    expect(page.get_by_text("Epochs takes").nth(1)).to_be_visible()
    page.get_by_label("Epochs").fill("2")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.get_by_text("Epochs takes")).to_have_count(0)
    page.get_by_label("Learning rate").fill("100")
    expect(page.locator("#reason")).to_contain_text("Learning rate takes")
    page.get_by_label("Learning rate").fill("0")
    expect(page.locator("#start")).to_be_enabled()
    tab(page, "Data")
    source(page, "Collect")
    file = {"name": "a.png", "mimeType": "image/png", "buffer": picture(1)}
    page.locator("#images-0 input[type=file]").first.set_input_files(file)
    expect(page.locator("#images-0 img")).to_have_count(1)
    tab(page, "Train")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator("#reason")).to_contain_text("only one class")


def test_a_page_that_was_reloaded_can_start(visit):
    page = visit("?tab=train")
    page.get_by_label("Epochs").fill("1")
    expect(page.locator("#start")).to_be_enabled()
    press_start(page)
    expect(page.locator("#headline")).to_contain_text("Finished", timeout=120_000)
