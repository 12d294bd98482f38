"""The library: its docstrings keep their word, and it says what the page would say."""

import doctest
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import peft_demo
from peft_demo import library
from peft_demo.contracts.errors import (
    BadAdapter,
    BadData,
    BadValue,
    UnknownName,
    WrongBackbone,
)
from peft_demo.contracts.knobs import knobs
from peft_demo.methods import methods


@pytest.fixture
def desk(home, tmp_path, monkeypatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def picture():
    return Image.effect_noise((80, 60), 60)


def test_the_docstrings_keep_their_word(desk, picture):
    picture.save("photo.png")
    results = doctest.testmod(
        library, extraglobs={"picture": "photo.png"}, optionflags=doctest.ELLIPSIS
    )
    assert results.attempted >= 10 and not results.failed


def test_the_lines_in_help_run_as_they_stand(desk, picture, capsys):
    from peft_demo.ui.guide import PROGRAMS

    picture.convert("RGB").save("photo.jpg")
    exec(re.findall(r"```python\n(.*?)```", PROGRAMS, re.S)[1], {})
    assert re.fullmatch(r"0\.\d+ \d\n", capsys.readouterr().out)


def test_the_six_names_are_there_and_cost_nothing_until_they_are_asked_for():
    code = """
import peft_demo, sys
assert not {"torch", "PIL", "numpy"} & set(sys.modules)
print(dir(peft_demo))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0, done.stderr
    assert {"load_backbone", "attach", "train", "save", "load", "inspect"} <= set(eval(done.stdout))
    assert peft_demo.train is library.train


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="tarin"):
        peft_demo.tarin  # noqa: B018


def test_no_knob_of_a_method_goes_by_a_name_of_the_recipe():
    """So that `train(..., epochs=3, rank=4)` means one thing."""
    for method in methods().values():
        assert not {k.name for k in knobs(method.Config)} & library.RECIPE, method.name


def test_a_picture_is_classified_however_it_comes(desk, tiny, picture):
    """The answers are the same whether it comes as a file, as bytes or as an image."""
    adapter = library.train(tiny, "lora", "digits", shots=1, epochs=1, rank=4, name="mine")
    assert (
        adapter.card.name == "mine"
        and adapter.card.knobs["rank"] == 4
        and adapter.card.spec["recipe"]["epochs"] == 1
    )
    model = library.attach(tiny, adapter)
    picture.save("p.png")
    answers = [
        model.classify(image).top
        for image in ("p.png", Path("p.png"), Path("p.png").read_bytes(), picture)
    ]
    assert all(answer == answers[0] for answer in answers) and len(answers[0]) == 5


def test_images_are_normalised_as_the_adapter_s_were(desk, tiny, picture):
    adapter = library.train(tiny, "linear", shots=1, epochs=1)
    card = replace(adapter.card, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    other = library.attach(tiny, adapter.with_card(card))
    assert other.backbone.mean == (0.0, 0.0, 0.0)
    assert other.classify(picture).top != library.attach(tiny, adapter).classify(picture).top


def test_what_is_saved_is_what_was_trained(desk, tiny):
    adapter = library.train(tiny, "linear", shots=1, epochs=1)
    library.save(adapter, "mine.safetensors")
    assert library.load("mine.safetensors") == adapter


def test_another_backbone_and_a_file_that_is_none_are_refused(desk, tiny):
    adapter = library.train(tiny, "linear", shots=1, epochs=1)
    with pytest.raises(WrongBackbone):
        library.attach(library.load_backbone(), adapter)
    Path("odd.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(BadAdapter):
        library.load("odd.safetensors")


def test_every_event_can_be_watched_and_settings_go_where_they_belong(tiny):
    events = []
    adapter = library.train(tiny, "lora", shots=1, epochs=2, batch=5, rank=4, watch=events.append)
    names = [type(e).__name__ for e in events]
    assert (
        names.count("Stepped") == 4
        and names[-1] == "Finished"
        and events[-1].test_accuracy == adapter.accuracy
    )
    assert adapter.card.knobs["rank"] == 4 and adapter.card.spec["recipe"]["batch"] == 5


def test_what_cannot_be_trained_is_a_sentence(tiny, desk):
    (desk / "one" / "only").mkdir(parents=True)
    Image.new("RGB", (40, 40), "red").save(desk / "one" / "only" / "a.png")
    for name, error in (
        ("digit", UnknownName),
        (desk / "one", BadData),
        ("nowhere/at/all", BadData),
    ):
        with pytest.raises(error):
            library.train(tiny, "linear", name, shots=1)


def test_how_data_is_read_can_be_said(tiny, desk):
    (desk / "two" / "cat").mkdir(parents=True)
    Image.new("RGB", (40, 40), "red").save(desk / "two" / "cat" / "a.png")
    with pytest.raises(BadData, match="nothing here is called as in --splits train=x"):
        library.train(tiny, "linear", desk / "two", shots=1, reading={"splits": "train=x"})


def test_training_goes_on_from_an_adapter_with_its_method_and_knobs(tiny):
    first = library.train(tiny, "lora", shots=1, epochs=1, rank=4)
    second = library.train(tiny, data="shapes", shots=1, epochs=1, origin=first)
    card = second.card
    assert (card.method, card.knobs["rank"]) == ("lora", 4) and card.classes != first.card.classes
    assert card.origin == first.card.name
    with pytest.raises(BadValue, match="an adapter of lora"):
        library.train(tiny, "arc", origin=first)
