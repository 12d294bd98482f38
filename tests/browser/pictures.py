"""Takes the pictures of the page that the README and the page itself show.

    PYTHONPATH=tests python -m browser.pictures

It starts the app in an empty home, trains one adapter on the bundled digits, and writes
`classify.webp` and `train.webp` to `peft_demo/ui/pictures`.
"""

import io
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from .conftest import FLAGS, ROOT, Server
from .steps import drawn, finish, start, tab

FOLDER = ROOT / "peft_demo" / "ui" / "pictures"
WIDTH = 1280
MOST_HEIGHT = 1280


def classify(page: Page) -> None:
    """The page as it opens, a picture and its answer, and what every other adapter says."""
    tab(page, "Classify")
    expect(page.locator("#answer-0")).to_contain_text("answered")
    page.locator("#ask-every").click()
    expect(page.locator("#every")).to_contain_text("textures")
    page.mouse.move(0, 0)
    page.wait_for_timeout(2000)  # pictures come after words


def train(page: Page) -> None:
    """A run that has ended, with its curves."""
    start(page, "LoRA", epochs=20, shots=16)
    finish(page)
    drawn(page)
    page.locator("#headline").scroll_into_view_if_needed()
    page.wait_for_timeout(2000)


def keep(page: Page, name: str) -> None:
    """The page from its top, as a picture of at most `MOST_HEIGHT` rows."""
    content = page.screenshot(full_page=True)
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture = picture.crop((0, 0, WIDTH, min(picture.height, MOST_HEIGHT)))
    picture.save(FOLDER / f"{name}.webp", quality=85, method=6)


def take(page: Page) -> None:
    for name, show in {"classify": classify, "train": train}.items():
        show(page)
        keep(page, name)


def main() -> None:
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server(Path(home))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": MOST_HEIGHT})
        page.set_default_timeout(90_000)
        page.goto(server.url)
        page.wait_for_selector("#image")
        take(page)
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
