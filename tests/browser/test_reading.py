"""The tab Data in a browser: a zip that can be read in two ways, with pictures of 12 bits."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from .steps import drop, expect, source, tab

pytestmark = pytest.mark.browser

FOLDERS = ("animals/cat", "animals/dog", "vehicles/car", "vehicles/bus")


def two_levels() -> bytes:
    """A zip of folders in folders, grey pictures of 12 bits in them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, name in enumerate(f"{folder}/{n}.png" for folder in FOLDERS for n in range(4)):
            values = np.random.default_rng(number).integers(0, 4096, (40, 40)).astype(np.uint16)
            picture = io.BytesIO()
            Image.fromarray(values).save(picture, "PNG")
            archive.writestr(name, picture.getvalue())
    return file.getvalue()


@pytest.mark.slow
def test_another_way_to_read_a_zip_is_picked_and_the_window_is_shown(visit):
    """R2, F8: the report says how the zip was read, names the other way, and follows the choice."""
    page = visit()
    tab(page, "Data")
    source(page, "Zip file")
    drop(page, "#zip button", "photos.zip", two_levels(), "application/zip")
    report = page.locator("#report")
    expect(report).to_contain_text("Read as: no splits; classes from folders")
    expect(page.locator("#counts")).to_contain_text("vehicles")
    page.get_by_role("button", name="Read it another way").click()
    expect(page.locator("#window-preview img")).to_have_count(8)
    page.locator("#other-reading").get_by_text(re.compile("the folder around each")).click()
    expect(report).to_contain_text("classes from the folder around each picture")
    expect(page.locator("#counts")).to_contain_text("bus")
    page.get_by_label("Darkest and brightest value").fill("0,1000")
    page.get_by_label("Darkest and brightest value").press("Enter")
    expect(report).to_contain_text("values from 0 to 1000 become black to white")
    expect(page.locator("#counts")).to_contain_text("bus")
