"""From photos of two things to Train: filmed while a button is held, counted, split, corrected."""

import pytest

from .steps import expect, picture, source, tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def name(page, card: int, label: str) -> None:
    box = page.locator(f"#class-{card} :is(input, textarea)")
    box.fill(label)
    box.press("Enter")


def film(page, label: str, photos: int) -> None:
    """Holds the button until so many photos were taken."""
    page.get_by_role("combobox", name="Class to film").click()
    page.get_by_role("option", name=label, exact=True).click()
    page.locator("[data-record]").hover()
    page.mouse.down()
    page.wait_for_function(
        "n => parseInt(document.querySelector('.film p').innerText) >= n", arg=photos
    )
    page.mouse.up()


@pytest.mark.parametrize("width", [1366, 390])
def test_a_class_is_filmed_while_a_button_is_held(visit, width):
    page = visit(width=width)
    tab(page, "Data")
    source(page, "Collect")
    expect(page.get_by_text("5 photos are a start").first).to_be_visible()
    name(page, 0, "hat")
    name(page, 1, "shoe")
    page.locator("#film button").first.click()
    page.locator("[data-start]").click()
    expect(page.locator("[data-record]")).to_be_visible()
    film(page, "shoe", 6)
    expect(page.locator("#images-1 img").first).to_be_visible()
    expect(page.locator(".film p")).to_contain_text("went to the card below")
    expect(page.locator("#film-next")).to_contain_text("Now film hat")
    expect(page.locator("#film-class input")).to_have_value("hat")
    for card, label in enumerate(("hat", "shoe")):
        expect(page.locator(f"#class-{card} :is(input, textarea)")).to_have_value(label)
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": picture(n)} for n in range(6)]
    page.locator("#images-0 input[type=file]").first.set_input_files(files)
    expect(page.locator("#counts")).to_contain_text("hat")
    page.locator("[data-end]").click()
    expect(page.locator("[data-record]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#previews button").first.click()
    page.get_by_role("button", name="Leave it out").click()
    expect(page.locator("#report")).to_contain_text("1 picture corrected by hand.")
    page.locator("#undo-corrections").click()
    expect(page.locator("#report")).not_to_contain_text("corrected by hand")
    expect(page.locator("#go")).to_be_visible()
    page.locator("#go").click()
    expect(page.locator("#start")).to_be_visible()
