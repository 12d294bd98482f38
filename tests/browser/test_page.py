"""The main job, done by a person in a browser: photos in, adapter out, hot-swapped.

The tests share one server; each gets the adapters it needs from the page, if an earlier one has not
trained them.
"""

import re

import pytest

from peft_demo.ui.toasts import UNFORESEEN

from .steps import (
    choose,
    curve,
    drawn,
    drop,
    expect,
    finish,
    open_adapter,
    picture,
    press_start,
    source,
    start,
    tab,
    trained,
)

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)>"


def test_training_draws_both_curves_and_ends_in_a_result(visit):
    """Loss for training and validation, though validation begins later; the backbone is proven
    unchanged.
    """
    page = visit()
    start(page, "LoRA", epochs=4)
    finish(page)
    expect(page.locator("#facts")).to_contain_text("Test accuracy")
    expect(page.locator("#facts")).to_contain_text("unchanged ✓")
    expect(page.locator("#status")).to_contain_text("backbone unchanged ✓")
    assert curve(page, "#loss-plot", 0) >= 4
    assert curve(page, "#loss-plot", 1) >= 2
    assert curve(page, "#accuracy-plot", 1) >= 2


@pytest.mark.slow
def test_a_run_survives_reload_is_seen_by_others_and_stops_from_there(visit):
    """The page is a view: reload re-attaches, a page opened before Start notices, Stop works from
    any of them.
    """
    page = visit()
    other = visit()
    tab(other, "Train")
    start(page, "LoRA", epochs=500, shots=1)
    expect(page.locator("#stop")).to_be_enabled()
    expect(page.locator("#headline")).to_contain_text("Training", timeout=180_000)
    page.reload()
    page.wait_for_selector("#image")
    tab(page, "Train")
    expect(page.locator("#headline")).to_contain_text("Training")
    expect(page.locator("#start")).to_have_text("Train this next")
    drawn(page)
    assert curve(page, "#loss-plot", 0) > 2
    expect(other.locator("#headline")).to_contain_text("Training")
    other.locator("#stop").click()
    for one in (other, page):
        expect(one.locator("#headline")).to_contain_text("Stopped")
        expect(one.locator("#facts")).to_contain_text("not measured")
    tab(page, "Adapters")
    expect(page.locator("#adapters")).to_contain_text("lora-digits")


def test_a_dropped_image_is_classified_and_a_swap_changes_the_answer(visit):
    page = visit()
    names = trained(page, "LoRA", "Linear probe")
    choose(page, "Adapter", names[0])
    drop(page, "#image .upload-container", "a.png", picture(1))
    answer = page.locator("#answer-0")
    expect(answer).to_contain_text("%")
    expect(answer).to_contain_text(names[0])
    expect(answer).to_contain_text("swapped in")
    before = answer.inner_text()
    choose(page, "Adapter", names[1])
    expect(answer).to_contain_text(names[1])
    assert answer.inner_text() != before
    choose(page, "Compare with up to three more", names[0])
    expect(page.locator("#answer-1")).to_contain_text(names[0])


def test_a_broken_image_is_a_sentence(visit):
    page = visit()
    trained(page, "LoRA")
    drop(page, "#image .upload-container", "a.png", b"\x89PNG no picture")
    expect(page.get_by_test_id("toast-text").first).to_be_visible()
    assert UNFORESEEN not in page.get_by_test_id("toast-text").first.inner_text()


def test_a_broken_adapter_file_is_refused_in_a_sentence(visit):
    page = visit()
    tab(page, "Adapters")
    page.locator("#add").click()
    drop(
        page,
        "#import button.upload-container",
        "x.safetensors",
        b"\xff" * 64,
        "application/octet-stream",
    )
    toast = page.get_by_test_id("toast-text")
    expect(toast).to_have_count(1)
    assert UNFORESEEN not in toast.inner_text() and len(toast.inner_text()) > 20
    expect(page.locator("#import")).not_to_contain_text("x.safetensors")


@pytest.mark.slow
def test_an_adapter_is_downloaded_renamed_deleted_and_added_again(visit, tmp_path):
    page = visit()
    name = trained(page, "LoRA")[0]
    tab(page, "Adapters")
    open_adapter(page, name)
    with page.expect_download() as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "kept.safetensors")
    page.locator("#edit button").first.click()
    page.locator("#rename :is(input, textarea)").fill("For a while")
    page.locator("#rename button").click()
    expect(page.locator("#card h2")).to_have_text("for-a-while")
    page.locator("#delete").click()
    expect(page.locator("#adapters")).not_to_contain_text("for-a-while")
    page.locator("#add").click()
    kept = (tmp_path / "kept.safetensors").read_bytes()
    drop(
        page,
        "#import button.upload-container",
        "kept.safetensors",
        kept,
        "application/octet-stream",
    )
    open_adapter(page, "kept")
    expect(page.locator("#card")).to_contain_text("sha256")
    page.get_by_role("button", name="Train one like this").click()
    expect(page.locator("#cost")).to_contain_text("trainable parameters")


def test_runs_are_replayed_and_compared(visit):
    """Another run's curves come back from its journal, alone or beside the present one."""
    page = visit()
    trained(page, "LoRA", "Linear probe")
    tab(page, "Train")
    page.locator("#runs .open").last.click()
    drawn(page)
    page.get_by_role("button", name="Compare with").first.click()
    names = page.locator("#loss-plot .name")
    expect(names).to_have_count(2)
    assert names.all_inner_texts() != ["training", "validation"]
    assert curve(page, "#loss-plot", 0) >= 2 and curve(page, "#loss-plot", 1) >= 2


@pytest.mark.slow
def test_own_classes_survive_a_reload_and_their_names_stay_text(visit):
    """Names with markup are shown letter by letter wherever they appear: cards, report, details,
    answers.
    """
    page = visit()
    tab(page, "Data")
    source(page, "Collect")
    for n, name in enumerate((MARKUP, "plain")):
        page.locator(f"#class-{n} :is(input, textarea)").fill(name)
        page.locator(f"#class-{n} :is(input, textarea)").press("Enter")
        files = [
            {"name": f"{n}{i}.png", "mimeType": "image/png", "buffer": picture(5 * n + i)}
            for i in range(5)
        ]
        page.locator(f"#images-{n} input[type=file]").first.set_input_files(files)
        expect(page.locator(f"#images-{n} img")).to_have_count(5)
    page.get_by_role("button", name="Check the data").click()
    expect(page.locator("#counts")).to_contain_text(MARKUP)
    page.reload()
    page.wait_for_selector("#image")
    tab(page, "Data")
    source(page, "Collect")
    expect(page.locator("#class-0 :is(input, textarea)")).to_have_value(MARKUP)
    expect(page.locator("#images-1 img")).to_have_count(5)
    tab(page, "Train")
    choose(page, "Method", "Linear probe")
    page.get_by_label("Epochs").fill("2")
    expect(page.get_by_text("your own classes", exact=True)).to_be_visible()
    press_start(page)
    finish(page)
    page.locator("#classify-it").click()
    drop(page, "#image .upload-container", "a.png", picture(2))
    expect(page.locator("#answer-0")).to_contain_text(MARKUP)
    tab(page, "Adapters")
    page.locator('#adapters [data-open*="plain"]').first.click()
    expect(page.locator("#card")).to_contain_text(MARKUP)
    assert page.locator('img[src="x"]').count() == 0


@pytest.mark.slow
def test_sharing_shows_what_becomes_public_and_offline_sends_nothing(visit):
    """The preview goes when what it shows no longer holds; this server runs
    offline, and says so.
    """
    page = visit()
    trained(page, "LoRA")
    tab(page, "Adapters")
    page.locator('#adapters [data-open*="lora-digits"]').first.click()
    page.get_by_role("button", name="Share on the Hub").click()
    expect(page.locator("#share")).to_contain_text("runs offline")
    name = page.locator("#share-repo :is(input, textarea)")
    name.fill("nonsense")
    page.locator("#share-show").click()
    expect(page.get_by_text("OWNER/NAME, got 'nonsense'")).to_be_visible()
    name.fill("me/digits")
    page.locator("#share-show").click()
    expect(page.locator("#share-told")).to_contain_text("The names of 10 classes: 0, 1, 2")
    expect(page.locator("#share-push")).to_be_disabled()
    name.fill("me/other")
    expect(page.locator("#share-push")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(visit, theme):
    page = visit(f"?__theme={theme}", width=390, height=844)
    for name in ("Data", "Train", "Adapters", "Classify", "Help"):
        tab(page, name)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


@pytest.mark.slow
def test_a_restarted_server_shows_the_last_run(visit, server):
    page = visit()
    trained(page, "LoRA")
    server.restart()
    again = visit()
    tab(again, "Train")
    expect(again.locator("#facts")).to_contain_text("Backbone")
    expect(again.locator("#headline")).to_contain_text(re.compile("Finished|Stopped"))
    drawn(again)
    assert curve(again, "#loss-plot", 0) >= 2


def test_it_opens_on_an_answer_and_every_adapter_can_be_asked(visit):
    page = visit()
    names = trained(page, "LoRA", "Linear probe")
    page.reload()
    answer = page.locator("#answer-0")
    expect(answer).to_contain_text("swapped in")
    shown = page.locator("#image img")
    before = shown.get_attribute("src")
    page.locator("#samples button").nth(3).click()
    expect(shown).not_to_have_attribute("src", before)
    page.locator("#ask-every").click()
    expect(page.locator("#every")).to_contain_text(names[-1])
    page.locator("#ask-why").click()
    reason = page.locator("#why figure")
    expect(reason).to_contain_text("place")
    reason.locator("summary").click()
    expect(reason.locator("td").first).to_be_visible()
    page.locator("#samples button").nth(1).click()
    expect(page.locator("#why")).to_be_hidden()  # it was about another picture
    page.locator("#answer-merged").click()
    expect(answer).to_contain_text("times the frozen model")
    expect(page.locator("#answer-1")).to_contain_text("merged")
    expect(page.locator("#above-answers")).to_contain_text("merged into a copy of its weights")
    page.locator("#image [aria-label='Remove Image'], #image [aria-label='Clear']").first.click()
    page.locator("#ask-why").click()
    expect(page.get_by_test_id("toast-text").first).to_contain_text("Drop an image")
    page.locator("#teach").click()
    expect(page.locator("#sources label", has_text="Collect").locator("input")).to_be_checked()


def test_a_wrong_answer_leads_to_the_class_cards(visit):
    page = visit()
    expect(page.locator("#answer-0")).to_contain_text("answered")
    page.get_by_role("button", name="Wrong? It is").click()
    expect(page.locator("#to-cards")).to_be_hidden()
    page.get_by_role("combobox", name="Class", exact=True).fill("arrow")
    page.get_by_role("combobox", name="Class", exact=True).press("Enter")
    page.get_by_role("button", name="Add to class").click()
    page.locator("#to-cards").click()
    expect(page.get_by_label("Name of class 1")).to_have_value("arrow")


def test_the_slider_answers_and_the_accuracy_over_it_is_drawn(visit):
    page = visit("?adapter=lora-shapes-s0")
    expect(page.locator("#answer-0")).to_contain_text("lora-shapes-s0")
    page.get_by_role("button", name="Strength").click()
    strength = page.get_by_label("number input for Strength")
    strength.fill("0")
    strength.press("Enter")
    answer = page.locator("#strength-answer")
    expect(answer).to_contain_text("lora-shapes-s0 at 0.00")
    page.locator("#strength-measure").click()
    curve = page.locator("#strength-curve")
    expect(curve.locator("svg")).to_be_visible(timeout=120_000)
    expect(curve.locator("tr")).to_have_count(8)
    page.locator("#samples button").nth(1).click()
    expect(answer).not_to_contain_text("at 0.00")  # it was about another picture


def test_a_point_of_the_drawing_opens_its_card(visit):
    page = visit("?tab=adapters")
    page.get_by_label("textures 2").check()
    expect(page.locator("#scatter .point")).to_have_count(2)
    page.locator('#scatter [data-id="ssf-textures-s0"]').click()
    expect(page.locator("#card h2")).to_have_text("ssf-textures-s0")
    page.locator("#back").click()
    page.locator('#scatter [data-id="aoft-lora-textures-s0"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_have_text("aoft-lora-textures-s0")
