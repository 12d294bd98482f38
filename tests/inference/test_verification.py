"""A model is asked about the probe pictures again: what is wrong shows, and is named."""

from dataclasses import replace

import pytest
import torch
from small import card, disturbed, new, random_vit
from torch import nn

from peft_demo.adapters import AdapterFile, dump, load
from peft_demo.contracts.errors import BadAdapter
from peft_demo.contracts.probes import VERSION, Probes
from peft_demo.inference import Attached
from peft_demo.inference.probes import probed
from peft_demo.inference.runner import ModelRunner
from peft_demo.inference.slips import cropped, resized
from peft_demo.inference.verification import TOLERANCE, UNEXPLAINED, verify

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def file(tiny) -> AdapterFile:
    """A finished file, of an adapter whose classes are well apart."""
    adapter = disturbed(new("lora", tiny), by=0.2)
    return probed(AdapterFile.parse(dump(adapter, card(adapter, tiny))), tiny)


@pytest.fixture(scope="module")
def runner(file, tiny) -> ModelRunner:
    return asked(file, tiny)


def asked(file, backbone) -> ModelRunner:
    return ModelRunner.of(Attached.of(backbone, load(file, backbone), file.card))


class Changed(nn.Module):
    """A model whose images and logits are changed on the way."""

    def __init__(self, model, before=lambda images: images, after=lambda logits: logits):
        super().__init__()
        self.steps = before, model, after

    def forward(self, images):
        before, model, after = self.steps
        return after(model(before(images)))


def test_an_adapter_answers_as_its_file_says(file, runner):
    result = verify(runner, file.probes, "it")
    assert result.agrees and result.same_answers and not result.notes
    assert result.difference <= 1e-6 < result.tolerance
    assert result.tolerance == pytest.approx(TOLERANCE * file.probes.spread)
    assert "answers as it did" in result.sentence and "attached to tiny" in result.sentence


@pytest.mark.parametrize("method", ["bi_lora", "rlrr", "vpt_deep", "full"])
def test_so_do_files_of_other_methods(method, tiny):
    adapter = disturbed(new(method, tiny))
    made = probed(AdapterFile.parse(dump(adapter, card(adapter, tiny))), tiny)
    assert verify(asked(made, tiny), made.probes, "it").agrees


def wrong(runner, file, **changes):
    """The one note of what is wrong with a runner that was changed."""
    result = verify(replace(runner, **changes), file.probes, "it")
    assert not result.agrees and "otherwise" in result.sentence
    assert result.difference > result.tolerance
    (note,) = result.notes
    return note


def test_another_backbone_shows_and_nothing_else_is_blamed(file, runner):
    """Of the same shape, and with a card that says it is the right one."""
    other = random_vit(seed=9)
    forged = AdapterFile.parse(file.content).with_card(
        replace(file.card, fingerprint=other.fingerprint)
    )
    assert wrong(asked(forged, other), file) == UNEXPLAINED


def test_another_normalisation_is_named(file, runner):
    note = wrong(runner, file, normalisation=IMAGENET)
    assert "mean 0.5, 0.5, 0.5 and std 0.5, 0.5, 0.5 (Inception), not 0.485, 0.456" in note


def test_mean_and_std_in_each_other_s_place_are_named(tiny):
    adapter = disturbed(new("lora", tiny), by=0.2)
    backbone = tiny.with_normalisation(*IMAGENET)
    made = probed(AdapterFile.parse(dump(adapter, card(adapter, backbone))), backbone)
    note = wrong(asked(made, backbone), made, normalisation=IMAGENET[::-1])
    assert "normalised with mean 0.485" in note


def test_blue_before_red_is_named(file, runner):
    swapped = Changed(runner.model, before=lambda images: images.flip(1))
    assert "BGR" in wrong(runner, file, model=swapped)


def test_classes_in_another_order_are_named(file, runner):
    order = [0, 3, 2, 1, 4]
    turned = Changed(runner.model, after=lambda logits: logits[:, order])
    note = wrong(runner, file, model=turned)
    assert "another order: 'd' where 'b' stood, 'b' where 'd' stood." in note


def test_another_temperature_is_named(file, runner):
    hotter = Changed(runner.model, after=lambda logits: logits / 2)
    assert "0.5 times" in wrong(runner, file, model=hotter)


@pytest.mark.parametrize(
    "prepare", [cropped(1.0), cropped(0.875), resized("bilinear"), resized("nearest")]
)
def test_another_way_to_resize_is_told_by_the_right_one(file, runner, prepare):
    def transform(picture):
        square = prepare(picture, runner.size)
        return (square.float() / 255 - 0.5) / 0.5

    assert "squeezed to a square, bicubic" in wrong(runner, file, transform=transform)


def test_where_the_adapter_was_made_with_a_crop_that_is_named(file, runner):
    def transform(picture):
        return (cropped(0.875)(picture, runner.size).float() / 255 - 0.5) / 0.5

    kept = probes_of(replace(runner, transform=transform))
    (note,) = verify(runner, kept, "it").notes
    assert "cropped to a square in the middle (87.5 % of the shorter side)" in note


def probes_of(runner) -> Probes:
    from peft_demo.data.probes import probe_pictures

    rows = [tuple(runner.own(picture).tolist()) for picture in probe_pictures()]
    return Probes(runner.classes, tuple(rows))


def test_names_in_another_order_are_wrong_though_the_logits_agree(file, runner):
    result = verify(replace(runner, classes=tuple("abced")), file.probes, "it")
    assert not result.agrees and result.difference < result.tolerance
    assert result.notes == (
        "Its class names are in another order: 'e' where 'd' stood, 'd' where 'e' stood.",
    )
    (note,) = verify(replace(runner, classes=tuple("abcdx")), file.probes, "it").notes
    assert note == "Its classes are called otherwise: 'x' where 'e' stood."


def test_half_precision_is_tolerated_and_said(file, tiny):
    half = random_vit()
    assert half.fingerprint == tiny.fingerprint
    with torch.no_grad():
        for tensor in half.model.parameters():
            tensor.copy_(tensor.bfloat16().float())
    result = verify(asked(file, half), file.probes, "it")
    assert result.agrees and "half precision" in result.notes[0]


def test_logits_that_are_all_alike_are_said_to_tell_little(tiny):
    adapter = new("lora", tiny)
    made = probed(AdapterFile.parse(dump(adapter, card(adapter, tiny))), tiny)
    result = verify(asked(made, tiny), made.probes, "it")
    assert result.agrees and "tell little" in result.notes[0]


def test_what_cannot_be_compared_is_a_sentence(file, runner):
    kept = file.probes
    with pytest.raises(BadAdapter, match="5 classes, and its probe logits are of 2"):
        verify(runner, Probes(("a", "b"), ((0, 1), (1, 0))), "it")
    with pytest.raises(BadAdapter, match=f"version {VERSION + 1}"):
        verify(runner, replace(kept, version=VERSION + 1), "it")
    broken = Changed(runner.model, after=lambda logits: logits * torch.nan)
    with pytest.raises(BadAdapter, match="not a finite number"):
        verify(replace(runner, model=broken), kept, "it")
