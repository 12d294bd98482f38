"""A photo from the webcam is what the camera saw, not its mirror image."""

import io

import pytest
from PIL import Image

from .steps import expect, source, tab

pytestmark = pytest.mark.browser


def left_and_right(page, image) -> tuple[str, str]:
    """The colours of a shown picture's halves, "red" or "blue"."""
    answer = page.request.get(image.get_attribute("src"))
    photo = Image.open(io.BytesIO(answer.body())).convert("RGB")
    middle = photo.height // 2
    return _colour(photo, photo.width // 4, middle), _colour(photo, 3 * photo.width // 4, middle)


def _colour(photo: Image.Image, x: int, y: int) -> str:
    red, _, blue = photo.getpixel((x, y))
    return "red" if red > blue else "blue"


def shoot(page, place: str) -> None:
    """Opens the camera in a component and takes a photo."""
    page.locator(f"{place} [aria-label='Capture from camera']").click()
    page.locator(f"{place} [title='grant webcam access'] button").click()
    page.wait_for_function(
        "place => document.querySelector(`${place} video`).videoWidth > 0", arg=place
    )
    page.locator(f"{place} [aria-label='capture photo']").click()


def test_classify_answers_what_the_camera_saw(visit):
    page = visit()
    expect(page.locator("#answer-0")).to_contain_text("answered")
    shoot(page, "#image")
    photo = page.locator("#image .image-frame img")
    expect(photo).to_be_visible()
    expect(page.locator("#image video")).to_have_count(0)
    assert left_and_right(page, photo) == ("red", "blue")


@pytest.mark.slow
def test_class_cards_keep_what_the_camera_saw(visit):
    page = visit()
    tab(page, "Data")
    source(page, "Collect")
    shoot(page, "#images-0")
    expect(page.locator("#images-0 img")).to_have_count(1)
    expect(page.get_by_text("1 photo, 4 more help")).to_be_visible()  # the server has it
    page.reload()
    page.wait_for_selector("#image")
    tab(page, "Data")
    source(page, "Collect")
    photo = page.locator("#images-0 img")
    expect(photo).to_have_count(1)
    assert left_and_right(page, photo) == ("red", "blue")
