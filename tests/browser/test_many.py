"""Several pictures at once on Classify: chosen, dropped or pasted; the table of their answers."""

import csv
import io
import re
import zipfile

import pytest
from PIL import Image

from .steps import drop, expect, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = pytest.mark.parametrize("width", [1366, 390])


def opened(visit, width=1366):
    page = visit(width=width)
    expect(page.locator("#answer-0")).to_contain_text("answered")
    page.wait_for_timeout(2000)  # a person is slower; scripts and lists come after the first answer
    return page


def wait_for_image(page, name: str) -> None:
    """Until the image shows the file of this name."""
    page.wait_for_function(
        "name => decodeURI(document.querySelector('#image img')?.src).endsWith(name)", arg=name
    )


def sureness(row: dict[str, str]) -> float:
    """What is none of the classes comes first, then what has the least probability."""
    if row["none of these"] == "yes":
        return -float(row["doubt"])
    return float(row["probability"] or 2)


def tiff() -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(6))).save(file, "TIFF")
    return file.getvalue()


def zipped(count: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"in/{number}.png", picture(number))
        archive.writestr("in/notes.txt", "not a picture")
    return file.getvalue()


@WIDTHS
def test_several_pictures_become_a_table(visit, width):
    page = opened(visit, width)
    files = [
        {"name": f"photo {n}.png", "mimeType": "image/png", "buffer": picture(n % 30)}
        for n in range(20)
    ]
    files[3]["buffer"] = files[3]["buffer"][:300]
    page.locator("#inbox input[type=file]").set_input_files(files)
    table = page.locator(".many")
    expect(table).to_contain_text("20 pictures:")
    expect(table).to_contain_text("1 without an answer")
    expect(table.locator("li")).to_have_count(20)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as download:
        page.get_by_text("Download CSV").click()
    with open(download.value.path(), newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == [file["name"] for file in files]
    assert "cut off" in rows[3]["reason"] and float(rows[0]["probability"]) > 0
    page.get_by_label("Least sure first").check()
    first = table.locator("button").first
    least = [row["file"] for row in rows if sureness(row) == min(map(sureness, rows))]
    expect(first).to_contain_text(re.compile("|".join(map(re.escape, least))))
    least = next(name for name in least if name in first.inner_text())
    first.click()
    wait_for_image(page, least)
    page.get_by_role("button", name="Close", exact=True).click()
    expect(table).to_be_hidden()


def test_another_adapter_answers_the_same_pictures(visit):
    page = opened(visit)
    drop(page, "#image", "many.zip", zipped(9), "application/zip")
    expect(page.locator(".many")).to_contain_text("9 pictures:")
    page.locator(".chip", has_text="Digits").first.click()
    expect(page.locator("#answer-0")).to_contain_text("digits")
    page.wait_for_function(
        "[...document.querySelectorAll('.many strong b')].every(b => /^[0-9]$/.test(b.innerText))"
    )


@WIDTHS
def test_what_is_dropped_takes_the_place_of_the_image(visit, width):
    page = opened(visit, width)
    drop(page, "#image", "one.png", picture(5))
    wait_for_image(page, "one.png")
    drop(page, "#teach", "scan.tif", tiff(), "image/tiff")
    wait_for_image(page, "scan.png")
    assert page.locator("#image img").evaluate("image => image.naturalWidth") > 0
    drop(page, "#image", "broken.png", picture(6)[:200])
    expect(page.locator(".toast-body")).to_have_count(1)
    expect(page.locator(".toast-body")).to_contain_text("cut off or damaged")
    expect(page.get_by_text("Error", exact=True).filter(visible=True)).to_have_count(
        1
    )  # the title of the toast
    wait_for_image(page, "scan.png")


def test_a_picture_is_pasted_anywhere(visit):
    page = opened(visit)
    page.evaluate(
        """async data => {
            const list = new DataTransfer()
            const bytes = Uint8Array.from(data)
            list.items.add(new File([bytes], "pasted.png", {type: "image/png"}))
            const about = {clipboardData: list, bubbles: true, cancelable: true}
            document.body.dispatchEvent(new ClipboardEvent("paste", about))
        }""",
        list(picture(7)),
    )
    wait_for_image(page, "pasted.png")
    expect(page.locator("#answer-0")).to_contain_text("answered")


def test_the_live_camera_is_answered(visit):
    page = opened(visit)
    before = page.locator("#answer-0").inner_text()
    page.locator("#live-switch").click()
    expect(page.locator("#answer-0")).not_to_have_text(before)
    page.locator("#live-switch").click()
    expect(page.locator("#live")).to_be_hidden()
    expect(page.locator("#image")).to_be_visible()
