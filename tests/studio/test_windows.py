"""Twelve-bit pictures are as good as the same ones scaled to 8 bits beforehand, wherever an adapter
meets pictures (F8)."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from peft_demo.contracts.specs import DataSpec, ImportHints, Recipe, RunSpec
from peft_demo.contracts.window import Window
from peft_demo.data import open_dataset
from peft_demo.library import attach as attach_file
from peft_demo.library import load, load_backbone
from peft_demo.studio.samples import samples

TOP = 4095
PART = np.s_[8:24, 8:24]


def deep(label: str, number: int) -> np.ndarray:
    """uint16 [32 32] below 4096: a square or a frame on noise."""
    values = np.random.default_rng((number, len(label))).integers(0, 900, (32, 32))
    values[PART] = TOP - 40 * number
    if label == "frame":
        values[12:20, 12:20] = 300 + number
    values[0, :8] = TOP
    return values.astype(np.uint16)


def write(root: Path, bits: int) -> Path:
    for label in ("frame", "square"):
        for number in range(8):
            values = deep(label, number)
            part = "test" if number > 5 else "train"
            path = root / part / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            eight = (values / TOP * 255).round().astype(np.uint8)
            Image.fromarray(values if bits == 12 else eight).save(path)
    return root


def trained(studio, finish, folder: Path) -> str:
    """The id of a LoRA that learned from the folder."""
    data = DataSpec("folder", str(folder), shots=4)
    finish(studio, studio.training.start(RunSpec("lora", data=data, size=32, recipe=RECIPE)))
    return studio.training.runs()[0].adapter


RECIPE = Recipe(epochs=6)


@pytest.fixture(scope="module")
def both(tmp_path_factory, open_studio, finish):
    """(studio, {bits: folder}, {bits: adapter})"""
    root = tmp_path_factory.mktemp("deep")
    studio = open_studio(root / "home")
    folders = {bits: write(root / f"bits{bits}", bits) for bits in (12, 8)}
    ids = {bits: trained(studio, finish, folder) for bits, folder in folders.items()}
    return studio, folders, ids


def test_it_learns_the_same(both):
    """The bits of the adapters are equal, and so is what was measured."""
    studio, _, ids = both
    deep_card, plain_card = (studio.zoo.card(ids[bits]) for bits in (12, 8))
    assert deep_card.window == (0, TOP) and plain_card.window == ()
    assert deep_card.test_accuracy == plain_card.test_accuracy
    assert deep_card.curve == plain_card.curve
    files = [safe_open(studio.zoo.file(ids[bits]), "pt") for bits in (12, 8)]
    names = [file.keys() for file in files]
    assert list(names[0]) == list(names[1])
    for name in names[0]:
        assert files[0].get_tensor(name).equal(files[1].get_tensor(name)), name


def test_it_is_evaluated_the_same(both):
    studio, folders, ids = both
    scores = [
        studio.answers.evaluate(ids[bits], DataSpec("folder", str(folders[bits])))
        for bits in (12, 8)
    ]
    assert scores[0] == scores[1]


def test_it_answers_the_same_on_the_page_and_from_python(both):
    studio, folders, ids = both
    backbone = load_backbone(size=32)
    for label in ("frame", "square"):
        images = {bits: folders[bits] / "test" / label / "7.png" for bits in (12, 8)}
        rows = {}
        for bits, image in images.items():
            (one,) = studio.answers.classify(image, [ids[bits]])
            (many,) = studio.answers.predict([image], [ids[bits]])
            merged = studio.answers.side_by_side(image, ids[bits]).attached
            model = attach_file(backbone, load(studio.zoo.file(ids[bits])))
            own = model.classify(image)
            assert one.top == many.top == own.top == merged.top
            rows[bits] = one.top
        assert rows[12] == rows[8]


def test_an_adapter_of_8_bits_is_measured_on_12_bits_by_its_own_or_a_given_window(both):
    studio, folders, ids = both
    plain = studio.answers.evaluate(ids[8], DataSpec("folder", str(folders[8])))
    by_itself = studio.answers.evaluate(ids[8], DataSpec("folder", str(folders[12])))
    assert by_itself == plain
    dark = DataSpec("folder", str(folders[12]), window=(60000, 65000))
    assert studio.answers.evaluate(ids[8], dark).accuracy == 0.5  # all black: one answer for all


def test_pictures_to_try_are_shown_through_the_window(both):
    _, folders, _ = both
    dataset = open_dataset(DataSpec("folder", str(folders[12]), shots=4))
    plain = open_dataset(DataSpec("folder", str(folders[8]), shots=4))
    assert samples(dataset, 4, 0) == samples(plain, 4, 0)


def test_other_programs_are_told_the_window(both, tmp_path):
    studio, _, ids = both
    studio.zoo.export(ids[12], "peft", tmp_path / "peft")
    note = json.loads((tmp_path / "peft" / "peft_demo.json").read_text())
    assert note["window"] == [0, TOP] and note["ground"] == ""
    readme = (tmp_path / "peft" / "README.md").read_text()
    assert "values from 0 to 4095 become black to white" in readme
    again = studio.zoo.take(tmp_path / "peft", ImportHints(name="back"))
    assert studio.zoo.card(again).picture_window == Window((0, TOP))
    studio.zoo.merge(ids[12], tmp_path / "merged.safetensors")
    merged = safe_open(tmp_path / "merged.safetensors", "pt").metadata()
    assert json.loads(merged["window"]) == [0, TOP] and json.loads(merged["ground"]) == ""
