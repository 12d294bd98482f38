"""What becomes public: the card's words, the picture, and what stays at home."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
import timm
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import save_file

from peft_demo import adapters, methods, vit
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import DataSpec, PushSpec, RunSpec
from peft_demo.studio.curve import HEIGHT, WIDTH, curve
from peft_demo.studio.hub_upload import pack, published

VIT = "vit_small_patch16_224.augreg_in21k_ft_in1k"
EVIL = "<img src=x> ![a](http://evil.example) `x` | # big"


@pytest.fixture
def packed(adapter_file, tmp_path):
    """packed(push options, **changes of the card) → (parcel, contents, front matter)"""

    def make(options=None, files=1, **changes):
        paths = [tmp_path / f"a{n}.safetensors" for n in range(files)]
        for n, path in enumerate(paths):
            card = replace(adapters.read_card(adapter_file), name=f"a{n}", **changes)
            path.write_bytes(AdapterFile.open(adapter_file).with_card(card).content)
        push = PushSpec(tuple(p.stem for p in paths), "me/shades", **options or {})
        parcel, contents = pack(push, paths, tmp_path / "home")
        return SimpleNamespace(
            parcel=parcel, contents=contents, front=ModelCard(parcel.card).data.to_dict()
        )

    return make


def test_the_files_are_the_adapter_a_picture_and_the_card(packed, tmp_path):
    made = packed()
    assert made.parcel.files == tuple((n, len(d)) for n, d in made.contents.items())
    assert list(made.contents) == ["a0.safetensors", "a0.png", "README.md"]
    assert made.contents["a0.safetensors"] == (tmp_path / "a0.safetensors").read_bytes()
    assert made.contents["README.md"].decode() == made.parcel.card


def test_the_front_matter_says_what_was_measured_and_how(packed, adapter_file):
    card = adapters.read_card(adapter_file)
    front = packed().front
    assert (
        front["tags"] == ["peft-demo", "lora", card.backbone]
        and front["pipeline_tag"] == "image-classification"
    )
    assert (
        front["library_name"] == "peft-demo"
        and front["metrics"] == ["accuracy"]
        and "datasets" not in front
    )
    (model,) = front["model-index"]
    (result,) = model["results"]
    (metric,) = result["metrics"]
    assert model["name"] == "shades" and result["dataset"]["name"] == card.spec["data"]["name"]
    assert metric["value"] == pytest.approx(card.test_accuracy, abs=1e-4)
    assert metric["args"] == {"shots": 2, "seed": 0, "test_images": card.test_images}


def test_what_was_not_measured_has_no_result(packed):
    made = packed(test_accuracy=None, test_images=0, val_accuracy=None, val_images=0)
    assert "model-index" not in made.front and made.parcel.card.count("not measured") == 2


def test_a_backbone_of_the_hub_is_the_base_model(packed):
    front = packed(backbone=VIT, fingerprint="0" * 64).front
    assert front["base_model"] == f"timm/{VIT}" and front["base_model_relation"] == "adapter"
    assert "base_model" not in packed().front  # the bundled one is on no Hub


def test_a_name_that_means_a_local_file_is_no_base_model(packed, tmp_path):
    """Nor has the file the licence of what timm calls so."""
    changes = {"backbone": "vit_tiny_patch16_224", "fingerprint": "0" * 64}
    front = packed(**changes).front
    assert (
        front["base_model"].startswith("timm/vit_tiny_patch16_224.")
        and front["license"] == "apache-2.0"
    )
    save_file(timm.create_model(changes["backbone"]).state_dict(), tmp_path / "mine.safetensors")
    vit.register(tmp_path / "mine.safetensors", tmp_path / "home", changes["backbone"])
    front = packed(**changes).front
    assert "base_model" not in front and front["license_name"] == "not-stated"


def test_a_hub_dataset_is_named(packed):
    spec = RunSpec(data=DataSpec("hub", "uoft-cs/cifar10:plain_text")).to_json()
    assert packed(spec=spec).front["datasets"] == ["uoft-cs/cifar10"]


def test_the_licence_is_the_backbones_or_the_one_asked_for(packed):
    assert packed().front["license"] == "apache-2.0"
    assert packed({"licence": "cc-by-4.0"}).front["license"] == "cc-by-4.0"
    front = packed(fingerprint="0" * 64, backbone="vit_small_patch16_dinov3.lvd1689m").front
    assert (front["license"], front["license_name"]) == ("other", "dinov3-license")
    assert packed(fingerprint="0" * 64, backbone="mine").front["license_name"] == "not-stated"
    with pytest.raises(BadValue, match="not a licence"):
        PushSpec(("a",), "me/x", licence="mit\nevil: yes")


def test_several_adapters_share_one_card(packed):
    made = packed(files=2)
    assert [n for n, _ in made.parcel.files] == [
        "a0.safetensors", "a0.png", "a1.safetensors", "a1.png", "README.md"
    ]  # fmt: skip
    assert len(made.front["model-index"][0]["results"][0]["metrics"]) == 2
    assert "pull me/shades --all" in made.parcel.card


def test_where_it_went_on_from_and_what_was_tried_stand_in_the_card(packed):
    spec = RunSpec(origin=Origin("/home/me/secret/first.safetensors")).to_json()
    card = packed(spec=spec, trials=8, trial_images=40).parcel.card
    assert "**Went on from**: `first`" in card and "secret" not in card
    assert "**Settings**: best of 8 settings on 40 validation images" in card


def test_words_from_a_file_stay_words(packed):
    made = packed(classes=(EVIL, "b", "c"), spec={"data": {"name": EVIL, "shots": EVIL, "seed": 0}})
    body = made.parcel.card.partition("\n---\n\n")[2]
    assert "`<img src=x> ![a](http://evil.example) 'x' | # big`" in body and "\n# big" not in body
    assert body.count("<img") == body.count("`<img")


@pytest.mark.parametrize(
    "spec", [{}, {"data": None}, {"data": "text"}, {"data": {"source": [], "name": {}}}]
)
def test_a_broken_spec_still_has_a_card(packed, spec):
    assert "makes it again" not in packed(spec=spec).parcel.card


def test_the_thumbnail_stays_at_home_unless_asked_for(packed):
    made = packed(thumbnail="QUJD")
    assert AdapterFile.parse(made.contents["a0.safetensors"]).card.thumbnail == ""
    assert b"QUJD" not in b"".join(made.contents.values())
    assert any("No training image" in t for t in made.parcel.disclosures)
    made = packed({"thumbnail": True}, thumbnail="QUJD")
    assert AdapterFile.parse(made.contents["a0.safetensors"]).card.thumbnail == "QUJD"
    assert any("small picture of one training image each: a0" in t for t in made.parcel.disclosures)


@pytest.mark.parametrize("source", ["draft", "upload"])
def test_the_key_of_ones_photos_stays_at_home(packed, source):
    """The key of class cards is the browser's own: whoever has it sees the photos."""
    made = packed(spec=RunSpec(data=DataSpec(source, "5ec2e7" * 5)).to_json())
    assert b"5ec2e7" not in b"".join(made.contents.values()) and "--data photos" in made.parcel.card


def test_what_is_told_names_the_classes(packed):
    told = packed({"private": True}).parcel.disclosures
    assert (
        "blue, green, red" in told[0]
        and any("Only you" in t for t in told)
        and any("Hashes of" in t for t in told)
    )


def test_what_class_means_tell_is_told(packed):
    assert not any("Mean features" in t for t in packed().parcel.disclosures)
    told = packed(doubt=tuple(n / 20 for n in range(21))).parcel.disclosures
    assert any("Mean features of the training images" in t for t in told)


def test_nothing_but_the_card_changes_in_a_published_file(packed, tmp_path):
    packed(thumbnail="QUJD")
    file = AdapterFile.open(tmp_path / "a0.safetensors")
    before = file.tensors()
    after = published(file, False).tensors()
    assert before.keys() == after.keys() and all((before[n] == after[n]).all() for n in before)


def test_the_five_lines_run(packed, photos, tmp_path, monkeypatch, capsys):
    pytest.importorskip("peft_demo.library")
    code = packed().parcel.card.partition("```python\n")[2].partition("\n```")[0]
    assert code.count("\n") == 4
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda repo, file: tmp_path / file)
    exec(code.replace("photo.jpg", str(photos / "red" / "0.png")), {})
    assert capsys.readouterr().out.strip() in ("blue", "green", "red")


def test_the_picture_shows_what_there_is(adapter_file):
    card = adapters.read_card(adapter_file)
    both = curve(card)
    one = curve(replace(card, accuracy_curve=()))
    assert Image.open(io.BytesIO(both)).size == (WIDTH, HEIGHT) == Image.open(io.BytesIO(one)).size
    assert both != one and curve(card) == both and len(both) < 60_000
    flat = replace(card, curve=((1, 0.5), (2, 0.5)))
    assert curve(flat)


@pytest.mark.parametrize("points", [(), ((1, 2.0),), ((1, -1e308), (2, 1e308))])
def test_no_picture_of_what_cannot_be_drawn(adapter_file, points):
    assert curve(replace(adapters.read_card(adapter_file), curve=points, accuracy_curve=())) == b""


def test_every_method_can_be_described(packed):
    for name in methods.methods():
        assert packed(method=name).front["tags"][:2] == ["peft-demo", name]
