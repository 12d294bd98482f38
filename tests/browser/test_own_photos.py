"""After a run on one's own photos the page shows those that were held out, and asks for a new
one.
"""

import pytest

from .steps import choose, class_zip, drop, expect, finish, give_zip, picture, press_start, tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def train_on_own_photos(page) -> None:
    give_zip(page, class_zip())
    expect(page.locator("#report")).to_contain_text("2 classes")
    tab(page, "Train")
    choose(page, "Method", "Linear probe")
    page.get_by_label("Epochs").fill("2")
    expect(page.locator("#start")).to_be_enabled()
    press_start(page)
    finish(page)


@pytest.mark.parametrize("width", [1366, 390])
def test_classify_shows_held_out_pictures_and_an_empty_place(visit, width):
    page = visit(width=width)
    expect(page.locator("#answer-0")).to_contain_text("answered")
    train_on_own_photos(page)
    page.locator("#classify-it").click()
    expect(page.get_by_text("Now try a new photo").first).to_be_visible()
    expect(page.locator("#samples")).to_contain_text("Held out in training")
    expect(page.locator("#image img")).to_have_count(0)
    expect(page.locator("#answer-0")).to_be_hidden()
    held_out = page.locator("#samples button")
    expect(held_out).to_have_count(2)
    assert all("class" in words for words in held_out.all_inner_texts())
    held_out.first.click()
    expect(page.locator("#answer-0")).to_contain_text("class")
    expect(page.locator("#image img")).to_have_count(1)
    page.locator("#image [aria-label='Remove Image'], #image [aria-label='Clear']").first.click()
    expect(page.locator("#answer-0")).to_be_hidden()
    drop(page, "#image .upload-container", "new.png", picture(4))
    expect(page.locator("#answer-0")).to_contain_text("class")


def test_a_sample_is_asked_only_of_adapters_that_know_its_classes(visit):
    """A digit that was called "shoes 97 %"."""
    page = visit()
    expect(page.locator("#answer-0")).to_contain_text("answered")
    choose(page, "Adapter", "lora-digits-s0")
    shown = page.locator("#image img")
    expect(page.locator("#answer-0")).to_contain_text("lora-digits-s0")
    page.locator("#samples button").nth(5).click()
    digit = shown.get_attribute("src")
    choose(page, "Adapter", "rlrr-shapes-s0")
    expect(page.locator("#answer-0")).to_contain_text("rlrr-shapes-s0")
    expect(shown).not_to_have_attribute("src", digit)
