"""Backbones: bundled, registered, downloaded; known by fingerprint; refused unread."""

import json
import struct
from dataclasses import replace

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from peft_demo.contracts.errors import BadBackbone, NotAllowed, UnknownName
from peft_demo.vit import cards, catalogue, load, local, register, registration
from peft_demo.vit.fingerprint import fingerprint
from peft_demo.vit.source import timm_config

ARCH = "vit_tiny_patch16_224"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A random ViT-Ti with its 1000-class head, stored in fp16 under timm's names."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / f"{ARCH}.fp16.safetensors"
    model = timm.create_model(ARCH)
    save_file({n: t.half() for n, t in model.state_dict().items()}, file)
    return file


def test_the_bundled_backbone_is_the_default_and_small(home):
    backbone = load(home=home)
    card = cards(home)[0]
    assert (card.source, card.name) == ("bundled", backbone.name)
    assert card.megabytes <= 12 and backbone.size <= 112
    assert card.fingerprint == backbone.fingerprint
    assert all(not p.requires_grad for p in backbone.model.parameters())
    assert not backbone.model.training


def test_a_registered_file_is_found_by_name_and_by_fingerprint(checkpoint, home):
    card = register(checkpoint, home)
    assert (card.name, card.source) == (ARCH, "registered")
    by_name = load(ARCH, home=home)
    by_print = load("whatever", home=home, fingerprint=card.fingerprint)
    assert by_name.fingerprint == by_print.fingerprint == card.fingerprint
    assert by_name.live_fingerprint() == by_print.live_fingerprint()


def test_two_that_register_the_same_weights_at_once_both_get_them(checkpoint, home, monkeypatch):
    keep = registration.write_file
    others = []

    def interrupted(path, content):
        if not others:
            others.append("on its way")
            register(checkpoint, home)
        keep(path, content)

    monkeypatch.setattr(registration, "write_file", interrupted)
    assert register(checkpoint, home).fingerprint == load(ARCH, home=home).fingerprint
    assert sorted(f.suffix for f in (home / "backbones").iterdir()) == [".json", ".safetensors"]


def test_a_registered_backbone_computes_what_timm_computes(checkpoint, home):
    register(checkpoint, home, name="mine")
    model = timm.create_model(ARCH, num_classes=0).eval()
    tensors = {n: t.float() for n, t in load_file(checkpoint).items() if not n.startswith("head.")}
    model.load_state_dict(tensors)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(load("mine", home=home).model(x), model(x))


def test_the_fingerprint_knows_neither_storage_dtype_nor_head_nor_size(checkpoint, home, tmp_path):
    tensors = {n: t.float() for n, t in load_file(checkpoint).items() if not n.startswith("head.")}
    save_file(tensors, tmp_path / "fp32.safetensors")
    first = register(checkpoint, home, name="a")
    second = register(tmp_path / "fp32.safetensors", home, ARCH, "b")
    assert first.fingerprint == second.fingerprint == fingerprint(tensors)
    assert load("b", 112, home=home).fingerprint == first.fingerprint
    names = [card.name for card in cards(home) if card.source == "registered"]
    assert names == ["b"], "one set of weights, one entry"


def test_another_size_resizes_the_position_embedding(checkpoint, home):
    register(checkpoint, home)
    backbone = load(ARCH, 112, home=home)
    assert (backbone.size, backbone.anatomy.grid) == (112, (7, 7))
    assert backbone.model(torch.zeros(1, 3, 112, 112)).shape == (1, 192)


def test_a_size_the_patches_do_not_divide_is_refused(home):
    with pytest.raises(BadBackbone, match="patches of 16"):
        load(size=100, home=home)


def test_normalisation_is_the_checkpoints_own(checkpoint, home):
    register(checkpoint, home, arch=f"{ARCH}.augreg_in21k_ft_in1k", name="half")
    assert load("half", home=home).mean == (0.5, 0.5, 0.5)
    register(checkpoint, home, arch="deit_tiny_patch16_224.fb_in1k", name="deit")
    assert load("deit", home=home).mean == pytest.approx((0.485, 0.456, 0.406))


def rewritten(checkpoint, tmp_path, change):
    tensors = load_file(checkpoint)
    change(tensors)
    save_file(tensors, tmp_path / f"{ARCH}.safetensors")
    return tmp_path / f"{ARCH}.safetensors"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop("blocks.3.mlp.fc1.weight"), "lacks 'blocks.3.mlp.fc1.weight'"),
        (lambda t: t.update(intruder=torch.zeros(1)), "unexpected 'intruder'"),
        (lambda t: t.update({"norm.weight": torch.zeros(7)}), r"norm.weight is float32 \[7\]"),
        (
            lambda t: t.update({"norm.weight": torch.zeros(192, dtype=torch.int64)}),
            "norm.weight as int64",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(checkpoint, home, tmp_path, change, sentence):
    with pytest.raises(BadBackbone, match=sentence):
        register(rewritten(checkpoint, tmp_path, change), home)
    assert not list(home.glob("backbones/*"))


def test_an_architecture_that_cannot_be_taken_apart_is_not_kept(home, tmp_path):
    file = tmp_path / "resnet18.safetensors"
    model = timm.create_model("resnet18", num_classes=0)
    save_file(model.state_dict(), file)
    with pytest.raises(BadBackbone, match="not a plain Vision Transformer"):
        register(file, home)
    assert not list(home.glob("backbones/*"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04\x95 a pickle, not a tensor file",
        struct.pack("<Q", 2**40) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}     ',
    ],
)
def test_hostile_files_are_refused(data, home, tmp_path):
    file = tmp_path / f"{ARCH}.safetensors"
    file.write_bytes(data)
    with pytest.raises(BadBackbone):
        register(file, home)


def test_an_unknown_architecture_and_an_unknown_name_are_sentences(checkpoint, home, tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'vit_tiny_patch16_224'"):
        register(checkpoint, home, arch="vit_tiny_patch16_22")
    with pytest.raises(UnknownName, match="backbone"):
        load("nonsense", home=home)
    other = tmp_path / "weights.safetensors"
    other.write_bytes(checkpoint.read_bytes())
    with pytest.raises(BadBackbone, match="--arch"):
        register(other, home)


def test_a_download_offline_is_a_sentence(home):
    with pytest.raises(NotAllowed, match="downloads are switched off"):
        load("vit_tiny_patch16_224.augreg_in21k_ft_in1k", home=home, offline=True)


def test_a_download_reports_progress_and_is_checked(checkpoint, home, monkeypatch):
    """A local file in the place of the Hub, which reports through its progress bar."""

    def hf_hub_download(repo, filename, local_files_only, tqdm_class):
        assert (repo, filename) == (f"timm/{ARCH}.augreg_in21k_ft_in1k", "model.safetensors")
        with tqdm_class(total=100) as bar:
            bar.update(50)
            bar.refresh()
        return str(checkpoint)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", hf_hub_download)
    reports = []

    def report(what, fraction=-1.0):
        reports.append((what, fraction))

    name = f"{ARCH}.augreg_in21k_ft_in1k"
    backbone = load(name, home=home, report=report)
    assert (f"downloading {name}", 0.5) in reports
    assert backbone.fingerprint == register(checkpoint, home).fingerprint


def test_suggested_parameters_are_what_timm_builds():
    for name, suggestion in catalogue.SUGGESTED.items():
        with torch.device("meta"):
            model = timm.create_model(name, num_classes=0)
        assert sum(p.numel() for p in model.parameters()) == suggestion.parameters, name


def test_suggested_sizes_and_repositories_are_those_timm_knows():
    for name, suggestion in catalogue.SUGGESTED.items():
        config = timm_config(name)
        assert (suggestion.size, f"timm/{name}") == (config.input_size[-1], config.hf_hub_id)


def test_a_registered_backbone_is_listed_without_timm(checkpoint, home, monkeypatch):
    card = register(checkpoint, home)
    for name in ("timm_names", "architecture"):
        monkeypatch.setattr(local, name, None)
    assert cards(home)[1] == replace(card, notices=())


def test_a_record_of_an_earlier_version_gives_the_same_card(checkpoint, home):
    card = register(checkpoint, home)
    (file,) = home.glob("backbones/*.json")
    record = json.loads(file.read_text())
    for name in ("size", "parameters", "timm"):
        del record[name]
    file.write_text(json.dumps(record))
    assert cards(home)[1] == replace(card, notices=())


def test_the_bundled_card_is_complete():
    file = next(local.BUNDLED.glob("*.safetensors"))
    header = json.loads(file.read_bytes()[8 : 8 + int.from_bytes(file.read_bytes()[:8], "little")])
    about = json.loads(header["__metadata__"]["peft_demo_backbone"])
    assert {"name", "title", "arch", "mean", "std", "licence"} <= about.keys()
    assert file.with_suffix(".md").is_file()
