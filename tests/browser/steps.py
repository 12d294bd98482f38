"""What a person does on the page, as steps of the browser tests."""

import base64
import io
import re
import zipfile

import pytest
from PIL import Image, ImageDraw

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=60_000)  # a busy machine; a quiet one is not held up by it


def tab(page, name: str) -> None:
    """Opens a tab, on a phone from the menu that holds what does not fit."""
    found = page.get_by_role("tab", name=name, exact=True).first
    if not found.is_visible():
        page.locator(".overflow-menu > button").first.click()
        found = page.locator(".overflow-dropdown button", has_text=name)
    found.click()


def choose(page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def start(page, method: str, epochs: int, shots: int = 8) -> None:
    """Sets a small run up and presses Start."""
    tab(page, "Data")
    page.get_by_label("number input for Shots").fill(str(shots))
    page.get_by_label("number input for Shots").press("Enter")
    tab(page, "Train")
    choose(page, "Method", method)
    page.get_by_label("Epochs").fill(str(epochs))
    expect(page.locator("#cost")).to_contain_text("trainable parameters")
    press_start(page)


def press_start(page) -> None:
    """Start, and wait until the page shows the new run; a short one may be over before any other
    look at the page.
    """
    shown = page.locator("#run input")
    before = shown.input_value() if shown.count() else ""
    page.locator("#start").click()
    expect(shown).not_to_have_value(before)


def finish(page) -> None:
    expect(page.locator("#headline")).to_contain_text("Finished", timeout=180_000)
    expect(page.locator("#start")).to_be_enabled()


def trained(page, *methods: str) -> list[str]:
    """Names in the adapter list of Classify, after each method of which this server has no run yet
    has been trained on digits, briefly.
    """
    for method in methods:
        name = f"{method.split()[0].lower()}-digits"
        if not any(run.startswith(name) for run in runs(page)):
            start(page, method, epochs=2, shots=2)
            finish(page)
    tab(page, "Classify")
    return adapters(page)


def runs(page) -> list[str]:
    """The lines of the list of runs on Train, the newest first."""
    expect(page.locator("#status")).to_contain_text("·")  # the page knows the runs
    tab(page, "Train")
    page.wait_for_timeout(300)
    if not page.locator("#run input").is_visible():
        return []
    page.locator("#run input").click()
    lines = [option.inner_text() for option in page.get_by_role("option").all()]
    page.locator("#run input").blur()
    return [line.strip().removeprefix("✓").strip() for line in lines]


def adapters(page) -> list[str]:
    page.wait_for_timeout(1000)
    box = page.get_by_role("combobox", name="Adapter", exact=True)
    box.click()
    names = [
        o.get_attribute("aria-label") or o.inner_text() for o in page.get_by_role("option").all()
    ]
    box.blur()
    return names


def drawn(page) -> None:
    """Waits until the accuracy plot has a line, which comes later than that of the loss."""
    page.wait_for_function(
        "document.querySelectorAll('#accuracy-plot svg .mark-line path[d*=L]').length > 0"
    )


def curve(page, plot: str, colour: str) -> int:
    """How many points the line of that colour is drawn through."""
    lines = page.locator(f'{plot} svg .mark-line path[stroke="{colour}"]')
    return sum(len(re.findall("[ML]", line.get_attribute("d") or "")) for line in lines.all())


def picture(seed: int) -> bytes:
    image = Image.new("RGB", (80, 80), (20 * (seed % 9), 90, 60))
    ImageDraw.Draw(image).ellipse((10 + seed, 10, 60, 50 + seed), fill=(200, 30 * (seed % 7), 40))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def drop(page, target: str, name: str, content: bytes, kind: str = "image/png") -> None:
    """Drops a file on an element, as from the desktop."""
    page.locator(target).first.wait_for()
    page.evaluate(
        """([target, name, data, kind]) => {
            const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0))
            const dropped = new DataTransfer()
            dropped.items.add(new File([bytes], name, {type: kind}))
            const about = {dataTransfer: dropped, bubbles: true, cancelable: true}
            const event = type => new DragEvent(type, about)
            const place = document.querySelector(target)
            for (const type of ["dragenter", "dragover", "drop"]) place.dispatchEvent(event(type))
        }""",
        [target, name, base64.b64encode(content).decode(), kind],
    )


def class_zip() -> bytes:
    """Two classes of five pictures."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for n in range(10):
            archive.writestr(f"class{n % 2}/{n}.png", picture(n))
    return content.getvalue()


def give_zip(page, content: bytes) -> None:
    tab(page, "Data")
    page.get_by_label("Zip file", exact=True).check()
    file = {"name": "things.zip", "mimeType": "application/zip", "buffer": content}
    page.locator("#zip input[type=file]").set_input_files(file)
