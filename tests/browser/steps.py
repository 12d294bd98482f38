"""What a person does on the page, as steps of the browser tests."""

import base64
import io
import zipfile

import pytest
from PIL import Image, ImageDraw

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=60_000)  # a busy machine; a quiet one is not held up by it

GRADIOS = {"image-redundant-alt"}
"""A gallery writes a caption under a picture, and the same words as its text."""


SHOWN = "#runs .open[aria-current]"
"""The line of the run that Train shows."""


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
    before = shown_run(page)
    page.locator("#start").click()
    shown = page.locator(f'{SHOWN}:not([data-id="{before}"])')
    expect(shown).to_have_count(1)


def shown_run(page) -> str:
    """Id of the run that Train shows, "" if there is none."""
    expect(page.locator("#status")).to_contain_text("·")  # the page knows the runs
    page.wait_for_timeout(300)
    shown = page.locator(SHOWN)
    return (shown.get_attribute("data-id") or "") if shown.count() else ""


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
    """Names in the list of runs on Train, the newest first."""
    tab(page, "Train")
    shown_run(page)
    return page.locator("#runs .open b").all_inner_texts()


def adapters(page) -> list[str]:
    page.wait_for_timeout(1000)
    box = page.get_by_role("combobox", name="Adapter", exact=True)
    box.click()
    names = [
        o.get_attribute("aria-label") or o.inner_text() for o in page.get_by_role("option").all()
    ]
    box.blur()
    return names


NOTHING_FADES = """() =>
  document.getAnimations().every((moving) => !(moving instanceof CSSTransition))"""


def axe_finds(page) -> list[str]:
    """What axe-core finds wrong on the page as it stands, without what is Gradio's to mend."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    expect(page.locator(".toast-body")).to_have_count(0)  # Gradio's, with buttons in a button
    expect(page.locator(".pending")).to_have_count(0, timeout=60_000)  # Gradio dims what is coming
    page.wait_for_function(NOTHING_FADES)
    violations = axe.Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']}"
        for rule in violations
        if rule["id"] not in GRADIOS
        for node in rule["nodes"]
    ]


def open_adapter(page, name: str) -> None:
    """Opens one from the list on Adapters."""
    page.locator(f'#adapters [data-open="{name}"]').click()
    expect(page.locator("#card h2")).to_have_text(name)


def drawn(page) -> None:
    """Waits until the accuracy plot has a line, which comes later than that of the loss."""
    page.locator("#accuracy-plot .curve").first.wait_for(state="attached")


def curve(page, plot: str, colour: int) -> int:
    """How many points the line of that colour is drawn through."""
    lines = page.locator(f"{plot} .curve.c{colour}")
    return sum(len((line.get_attribute("points") or "").split()) for line in lines.all())


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


def source(page, title: str) -> None:
    """Chooses where images come from."""
    page.locator("#sources label", has_text=title).click()


def give_zip(page, content: bytes) -> None:
    tab(page, "Data")
    source(page, "Zip file")
    file = {"name": "things.zip", "mimeType": "application/zip", "buffer": content}
    page.locator("#zip input[type=file]").set_input_files(file)
