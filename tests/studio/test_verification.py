"""What is exported answers the probe pictures in its own runtime, and what is wrong shows."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from peft_demo.adapters import AdapterFile
from peft_demo.adapters.file import seal
from peft_demo.contracts.errors import BadAdapter, BadValue, UnknownName
from peft_demo.contracts.probes import FILE
from peft_demo.contracts.specs import ImportHints
from peft_demo.inference.verification import UNEXPLAINED
from peft_demo.studio import verification

RUNTIMES = {"timm": "timm", "peft": "peft", "transformers": "peft"}
"""Format → the package that asks; `test_exports.py` has those with ONNX."""
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


@pytest.fixture
def trained(studio, adapter_file):
    """A studio with one LoRA in its zoo, and the LoRA's id."""
    return studio, studio.zoo.take(adapter_file)


@pytest.fixture
def folder(trained, tmp_path):
    """format → the folder of that export."""
    studio, id = trained

    def write(to):
        studio.zoo.export(id, to, tmp_path / to)
        return tmp_path / to

    return write


def change(file, **values):
    """Other values in a JSON file."""
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_a_run_ends_with_an_adapter_that_verifies(trained):
    studio, id = trained
    assert studio.zoo.card(id).probes == 1
    result = studio.zoo.verify(id)
    assert result.agrees and result.difference < 1e-5 and not result.notes


def test_so_it_does_under_other_names(trained):
    studio, id = trained
    studio.zoo.rename_class(id, studio.zoo.card(id).classes[0], "azure")
    assert studio.zoo.verify(studio.zoo.rename(id, "another")).agrees


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize("to", RUNTIMES)
def test_every_export_verifies_in_its_own_runtime(to, trained, tmp_path):
    pytest.importorskip(RUNTIMES[to])
    if to == "transformers":
        pytest.importorskip("transformers", minversion="5.0")
    studio, id = trained
    studio.zoo.export(id, to, tmp_path / to)
    result = studio.zoo.verify_any(str(tmp_path / to))
    assert result.agrees and result.same_answers, result
    assert result.by.startswith(RUNTIMES[to])
    assert result.difference < 0.1 * result.tolerance


def test_the_nearest_lora_verifies_by_what_it_answers_itself(studio, short, finish, tmp_path):
    pytest.importorskip("peft")
    finish(studio, studio.training.start(short("hta", epochs=3)))
    (id,) = [entry.id for entry in studio.zoo.entries()]
    studio.zoo.export(id, "peft", tmp_path / "near", 1)
    assert studio.zoo.verify_any(str(tmp_path / "near")).agrees


def test_merged_weights_verify(trained, tmp_path):
    studio, id = trained
    out = tmp_path / "merged.safetensors"
    studio.zoo.merge(id, out)
    assert studio.zoo.verify_any(str(out)).agrees
    studio.zoo.blend([id, id], out)
    assert studio.zoo.verify_any(str(out)).agrees


def test_a_timm_folder_with_another_normalisation_or_a_crop_says_which_is_right(folder):
    for changes, words in (
        (IMAGENET, "normalised with mean 0.5, 0.5, 0.5 and std 0.5, 0.5, 0.5 (Inception)"),
        ({"crop_mode": "center", "crop_pct": 0.875}, "squeezed to a square, bicubic"),
    ):
        out = folder("timm")
        config = json.loads((out / "config.json").read_text())
        change(out / "config.json", pretrained_cfg=config["pretrained_cfg"] | changes)
        result = asked(out)
        assert not result.agrees and words in result.notes[0]
        shutil.rmtree(out)


def asked(path):
    """What comes of an export that needs no backbone."""
    return verification.verify_export(path, home=None, backbones=None)


def test_class_names_in_another_order_show_in_a_timm_folder(folder):
    out = folder("timm")
    change(out / "config.json", label_names=["green", "blue", "red"])
    result = asked(out)
    assert not result.agrees and "'green' where 'blue' stood" in result.notes[0]


def test_rows_of_a_head_in_another_order_show_in_a_timm_folder(folder):
    out = folder("timm")
    tensors = load_file(out / "model.safetensors")
    for name in ("head.weight", "head.bias"):
        tensors[name] = tensors[name][[1, 0, 2]].clone()
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    assert "rows of its head are in another order" in asked(out).notes[0]


def test_the_weights_of_another_backbone_show(folder):
    out = folder("timm")
    tensors = load_file(out / "model.safetensors")
    torch.manual_seed(0)
    for name in tensors:
        if name.startswith("blocks."):
            tensors[name] += 0.2 * torch.randn_like(tensors[name])
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    assert asked(out).notes == (UNEXPLAINED,)


def test_what_cannot_be_asked_is_a_sentence(folder, tmp_path, trained):
    studio, _ = trained
    out = folder("timm")
    (out / FILE).unlink()
    with pytest.raises(BadAdapter, match="does not say what it answered"):
        asked(out)
    (out / "model.safetensors").rename(out / "pytorch_model.bin")
    with pytest.raises(BadAdapter, match="a pickle is never loaded"):
        asked(out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadAdapter, match="holds nothing that `export` writes"):
        studio.zoo.verify_any(str(tmp_path / "empty"))
    (tmp_path / "no.onnx").write_bytes(b"no")
    with pytest.raises(BadAdapter, match="onnxruntime cannot read"):
        studio.zoo.verify_any(str(tmp_path / "no.onnx"))
    with pytest.raises(UnknownName):
        studio.zoo.verify_any(str(tmp_path / "gone"))


def test_merged_weights_with_hostile_words_are_refused(trained, tmp_path):
    studio, id = trained
    out = tmp_path / "merged.safetensors"
    studio.zoo.merge(id, out)
    sound = verification.weights.read_header(out, 10**7, BadAdapter).metadata
    tensors = load_file(out)
    for name, value in (
        ("architecture", "evil"),
        ("model_args", "[]"),
        ("size", "[" * 100_000),
        ("mean", "[NaN, 0, 0]"),
        ("classes", "3"),
        ("probe", "{}"),
    ):
        save_file(tensors, out, sound | {name: value})
        with pytest.raises((BadAdapter, BadValue)):
            studio.zoo.verify_any(str(out))


def test_no_path_is_looked_at_where_none_is_allowed(open_studio, folder, tmp_path):
    out = folder("timm")
    closed = open_studio(tmp_path / "closed", allow_local_paths=False)
    with pytest.raises(UnknownName):
        closed.zoo.verify_any(str(out))


def test_an_import_is_finished_with_probes_and_checked_by_those_of_the_folder(trained, folder):
    studio, _ = trained
    out = folder("peft")
    back = studio.zoo.take(out, ImportHints(name="back"))
    assert studio.zoo.verify(back).agrees
    renamed = studio.zoo.take(out, ImportHints(name="named", classes=("x", "y", "z")))
    assert studio.zoo.verify(renamed).agrees
    before = studio.zoo.entries()
    change(out / "peft_demo.json", **IMAGENET)
    with pytest.raises(BadAdapter, match=r"is not taken in.*Inception"):
        studio.zoo.take(out)
    assert studio.zoo.entries() == before
    (out / FILE).unlink()
    assert studio.zoo.take(out), "a folder of others says nothing"


def test_files_of_a_lora_that_are_sent_bring_their_probes(trained, folder):
    studio, _ = trained
    out = folder("peft")
    change(out / "peft_demo.json", **IMAGENET)
    names = ("adapter_config.json", "adapter_model.safetensors", "peft_demo.json", FILE)
    (taken,) = studio.zoo.take_upload([out / name for name in names])
    assert "is not taken in" in taken.refusal


def test_an_earlier_file_is_given_what_it_answers_and_a_later_one_is_left(trained, tmp_path):
    studio, id = trained
    file = AdapterFile.open(studio.zoo.file(id))
    tensors = file.tensors()
    kept = tensors.pop("probe_logits")
    earlier = tmp_path / "earlier.safetensors"
    earlier.write_bytes(seal(tensors, replace(file.card, probes=0)))
    word = studio.zoo.find(str(earlier))
    with pytest.raises(BadAdapter, match="as files of earlier versions"):
        studio.zoo.verify(word)
    studio.zoo.keep_probes(word, tmp_path / "now.safetensors")
    again = AdapterFile.open(tmp_path / "now.safetensors")
    assert torch.allclose(again.tensors()["probe_logits"], kept, atol=1e-5)
    with pytest.raises(BadValue, match="says already"):
        studio.zoo.keep_probes(id, tmp_path / "no.safetensors")
    assert studio.zoo.export(word, "timm", tmp_path / "out")
    assert asked(tmp_path / "out").agrees
