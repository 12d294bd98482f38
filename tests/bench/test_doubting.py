"""The figures about doubt, on two shipped adapters and small datasets."""

import pytest
import torch

from peft_demo import library
from peft_demo.bench import doubting
from peft_demo.contracts.errors import BadData, BadValue
from peft_demo.data import open_dataset, parse
from peft_demo.studio.adapter_store import SHIPPED


def material(*names: str):
    specs = {name: parse(name) for name in names}
    return {name: (spec, open_dataset(spec, path)) for name, (spec, path) in specs.items()}


@pytest.fixture(scope="module")
def attached():
    file = library.load(SHIPPED / "linear-digits-s0.safetensors")
    return library.attach(library.load_backbone(), file).attached


@pytest.mark.slow
def test_an_adapter_is_shown_its_own_images_and_everything_else(attached, monkeypatch):
    monkeypatch.setattr(doubting, "MOST", 24)
    own, shown = doubting.measure("it", attached, material("digits", "textures"))
    assert own.images == 24 and own.called_none < 0.3 and own.means_bytes == 10 * 192
    assert own.error_after < own.error_before
    assert [one.other for one in shown] == ["textures", "noise", "flat grey"]
    assert all(one.auroc > 0.95 for one in shown)
    assert doubting.rows(shown)[0] == doubting.HEAD and len(doubting.rows(shown)) == 4
    assert "3 pairs: mean AUROC" in doubting.summary([own], shown)


def test_its_own_dataset_must_be_there(attached):
    with pytest.raises(BadData, match="none of the datasets"):
        doubting.measure("it", attached, {})


def test_one_that_cannot_doubt_is_told_how_to(attached, monkeypatch):
    monkeypatch.setattr(attached.adapter, "class_means", None)
    with pytest.raises(BadValue, match="calibrate"):
        doubting.measure("it", attached, {})


def test_the_farther_images_count_as_stranger():
    near, far = torch.tensor([0.1, 0.2]), torch.tensor([0.15, 0.3])
    assert doubting._auroc(near, far) == 0.75
