"""Adapters leave for other programs and come back, through the studio, on the bundled backbone."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from ports import free_port
from safetensors.torch import save_file
from small import card, disturbed, images, logits, new, random_vit

from peft_demo import adapters, inference, interop
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import BadAdapter, BadValue, CannotExport, CannotWrite, UnknownName
from peft_demo.contracts.specs import ImportHints
from peft_demo.data import decode, to_tensor
from peft_demo.studio import exports
from peft_demo.vit.catalogue import Source, bundled


@pytest.fixture
def trained(studio, adapter_file):
    """A studio with one LoRA in its zoo, and the LoRA's id."""
    return studio, studio.zoo.take(adapter_file)


@pytest.fixture
def picture(photos):
    return photos / "green" / "3.png"


def test_a_peft_folder_comes_back_as_an_adapter_that_answers_the_same(trained, picture, tmp_path):
    studio, id = trained
    (note,) = studio.zoo.export(id, "peft", tmp_path / "out")
    assert "rank 16" in note
    again = studio.zoo.take(tmp_path / "out", ImportHints(name="back again"))
    first, second = studio.answers.classify(picture, [id, again], top=3)
    assert again == "back-again"
    assert dict(second.top) == pytest.approx(dict(first.top), abs=1e-5)
    card = studio.zoo.card(again)
    assert card.fingerprint == studio.zoo.card(id).fingerprint and (card.size, card.spec) == (
        32,
        {},
    )


def test_the_python_in_the_folder_s_readme_loads_it(trained, picture, tmp_path, monkeypatch):
    pytest.importorskip("peft")
    studio, id = trained
    studio.zoo.export(id, "peft", tmp_path / "out")
    (code,) = re.findall(r"```python\n(.*?)```", (tmp_path / "out" / "README.md").read_text(), re.S)
    shutil.copy(bundled().file, tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    found = {}
    exec(code, found)
    _same_answers(studio, id, found["model"], decode(picture))


class Logits(torch.nn.Module):
    """A model of transformers that answers as timm's do."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images).logits


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_the_python_in_the_readme_for_transformers_makes_its_model_of_timm_s_weights(
    trained, picture, tmp_path, monkeypatch
):
    pytest.importorskip("peft")
    pytest.importorskip("transformers", minversion="5.0")
    studio, id = trained
    (note,) = studio.zoo.export(id, "transformers", tmp_path / "out")
    assert "ViTForImageClassification" in note
    (code,) = re.findall(r"```python\n(.*?)```", (tmp_path / "out" / "README.md").read_text(), re.S)
    shutil.copy(bundled().file, tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    found = {}
    exec(code, found)
    _same_answers(studio, id, Logits(found["model"]), decode(picture))
    again = studio.zoo.take(tmp_path / "out", ImportHints(name="back"))
    assert studio.zoo.card(again).fingerprint == studio.zoo.card(id).fingerprint


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_that_of_a_siglip_does_so_too(tmp_path, monkeypatch):
    pytest.importorskip("peft")
    pytest.importorskip("transformers", minversion="5.0")
    backbone = random_vit(class_token=False, global_pool="avg", fc_norm=False)
    file = tmp_path / "siglip.safetensors"
    save_file(adapters.tensors_of(backbone.model), file)
    adapter = disturbed(new("lora", backbone))
    subject = exports.Subject(backbone, adapter, card(adapter, backbone), source(backbone, file))
    exports.find_export("transformers").write(tmp_path / "out", subject)
    (code,) = re.findall(r"```python\n(.*?)```", (tmp_path / "out" / "README.md").read_text(), re.S)
    shutil.copy(file, tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    found = {}
    exec(code, found)
    with torch.no_grad():
        answers = found["model"](images()).logits
    assert torch.allclose(answers, logits(backbone, adapter), atol=3e-6)


def source(backbone, file):
    """Of a small SigLIP whose weights are in a file."""
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
    pooling = {"class_token": False, "global_pool": "avg", "fc_norm": False}
    kwargs = tuple(sorted({**shape, **pooling}.items()))
    return Source("siglip", "", backbone.arch, file=file, kwargs=kwargs)


def test_a_backbone_that_transformers_has_not_says_so(tmp_path):
    backbone = random_vit(init_values=0.1)
    adapter = disturbed(new("lora", backbone))
    subject = exports.Subject(
        backbone, adapter, card(adapter, backbone), source(backbone, tmp_path / "a")
    )
    with pytest.raises(CannotExport, match=r"a layer scale.*--to peft"):
        exports.find_export("transformers").write(tmp_path / "out", subject)


def test_each_version_of_transformers_has_its_names(trained, tmp_path):
    studio, id = trained
    for format, path in (("transformers", "layers.0.attention.q_proj"), ("transformers4", "query")):
        studio.zoo.export(id, format, tmp_path / format)
        config = json.loads((tmp_path / format / "adapter_config.json").read_text())
        assert any(target.endswith(path) for target in config["target_modules"])


def _same_answers(studio, id, model, picture):
    backbone, adapter = studio.answers._predictor.load(AdapterFile.open(studio.zoo.file(id)))
    image = to_tensor(picture, 32)[None]
    ours = inference.outputs(adapters.attach(backbone, adapter).eval(), image, backbone)
    assert torch.allclose(inference.outputs(model, image, backbone), ours, atol=1e-5)


def test_the_folder_of_a_backbone_of_ones_own_names_that_and_no_weights_of_timm_s(
    studio, short, finish, tmp_path
):
    """Registered without a name it goes by its architecture's, which has other weights on the
    Hub."""
    pytest.importorskip("peft")
    torch.manual_seed(0)
    save_file(timm.create_model("vit_tiny_patch16_224").state_dict(), tmp_path / "mine.safetensors")
    name = studio.zoo.add_backbone(tmp_path / "mine.safetensors", "vit_tiny_patch16_224").name
    finish(studio, studio.training.start(short("lora", epochs=1, backbone=name)))
    (id,) = [e.id for e in studio.zoo.entries()]
    out = tmp_path / "out"
    studio.zoo.export(id, "peft", out)
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] is None
    readme = (out / "README.md").read_text()
    assert "base_model" not in readme and "pretrained=True" not in readme
    (file,) = (studio.home.root / "backbones").glob("*.safetensors")
    assert file.name in readme
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    found = {}
    with chdir(out):
        shutil.copy(file, out)
        exec(code, found)
    _same_answers(studio, id, found["model"], Image.new("RGB", (32, 32), "red"))


def test_weights_of_the_hub_are_named_by_their_repository():
    tagged = "vit_small_patch16_224.augreg_in21k_ft_in1k"
    assert Source("", "", tagged).hub == ""
    assert Source(tagged, "", tagged).hub == f"timm/{tagged}"
    assert re.fullmatch(
        r"timm/vit_small_patch16_224\..+", Source("vit_small_patch16_224", "", "").hub
    )
    assert Source(tagged, "", tagged, file=Path("mine.safetensors")).hub == ""


def test_nothing_of_a_stranger_s_card_gets_into_that_python(trained, tmp_path):
    studio, id = trained
    file = studio.zoo.file(id)
    evil = 'x"); import os  # ```python import os```'
    card = replace(
        studio.zoo.card(id),
        name=evil,
        backbone=evil,
        arch=evil,
        interpolation=evil,
        classes=(evil, "b", "c"),
    )
    file.write_bytes(AdapterFile.open(file).with_card(card).content)
    studio.zoo.export(id, "peft", tmp_path / "out")
    assert "import os" not in (tmp_path / "out" / "README.md").read_text()


def test_a_folder_with_something_in_it_is_left_as_it_is(trained, tmp_path):
    studio, id = trained
    (tmp_path / "out").mkdir()
    studio.zoo.export(id, "peft", tmp_path / "out")
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    with pytest.raises(CannotWrite, match="there already"):
        studio.zoo.export(id, "peft", tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_an_onnx_file_is_written(trained, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    studio, id = trained
    note, checked = studio.zoo.export(id, "onnx", tmp_path / "a.onnx")
    assert "folded" in note and "uint8" in note
    assert re.search(r"as the adapter does, to \de-\d\d\.$", checked)
    proto = onnx.load(tmp_path / "a.onnx")
    onnx.checker.check_model(proto)
    result = studio.zoo.verify_any(str(tmp_path / "a.onnx"))
    assert result.agrees and result.by.startswith("onnxruntime")
    (kept,) = [entry for entry in proto.metadata_props if entry.key == "probe"]
    for spoil, words in ((_other_rows, "another order"), (_without_probes, "does not say")):
        spoil(proto, kept)
        onnx.save(proto, tmp_path / "spoiled.onnx")
        assert words in _told(studio, tmp_path / "spoiled.onnx")


def _other_rows(proto, kept):
    """As if the classes stood in another order when the adapter was made."""
    values = json.loads(kept.value)
    values["logits"] = [row[::-1] for row in values["logits"]]
    kept.value = json.dumps(values)


def _without_probes(proto, kept):
    proto.metadata_props.remove(kept)


def _told(studio, path) -> str:
    """What `verify` says of a spoiled export."""
    try:
        result = studio.zoo.verify_any(str(path))
    except BadAdapter as error:
        return str(error)
    assert not result.agrees
    return " ".join(result.notes)


def test_an_onnx_file_that_would_answer_otherwise_is_not_written(trained, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    studio, id = trained
    real = interop.to_onnx
    monkeypatch.setattr(
        interop, "to_onnx", lambda b, a, card, kept: real(b, a, replace(card, std=(1, 1, 1)), kept)
    )
    with pytest.raises(CannotExport, match="otherwise than the adapter"):
        studio.zoo.export(id, "onnx", tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


def test_timm_loads_the_folder_as_its_readme_says_and_answers_the_same(trained, picture, tmp_path):
    """With timm's own preparation of pictures, of a picture that is not square."""
    studio, id = trained
    studio.zoo.export(id, "timm", tmp_path / "out")
    readme = (tmp_path / "out" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    found = {}
    with chdir(tmp_path / "out"):
        exec(code, found)
    wide = decode(picture).resize((90, 41))
    with torch.no_grad():
        (shares,) = found["model"](found["prepare"](wide)[None]).softmax(-1).tolist()
    (answer,) = studio.answers.classify(wide, [id], top=3)
    ours = dict(answer.top)
    names = json.loads((tmp_path / "out" / "config.json").read_text())["label_names"]
    assert dict(zip(names, shares, strict=True)) == pytest.approx(ours, abs=1e-4)


def test_what_does_not_fold_is_no_timm_model(studio, short, finish, tmp_path):
    finish(studio, studio.training.start(short("adaptformer", epochs=1)))
    (id,) = [entry.id for entry in studio.zoo.entries()]
    with pytest.raises(CannotExport, match="--to onnx"):
        studio.zoo.export(id, "timm", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_space_of_its_own_answers_in_its_own_process(trained, picture, tmp_path):
    pytest.importorskip("onnxruntime")
    client = pytest.importorskip("gradio_client")
    studio, id = trained
    out = tmp_path / "space"
    studio.zoo.export(id, "space", out)
    assert re.search(r"^gradio==\d", (out / "requirements.txt").read_text(), re.M)
    assert studio.zoo.verify_any(str(out)).agrees
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "0"}
    with subprocess.Popen([sys.executable, out / "app.py"], env=environment) as page:
        try:
            asked = _when_it_answers(lambda: client.Client(address, verbose=False))
            words, shares = asked.predict(client.handle_file(picture), api_name="/classify")
        finally:
            page.terminate()
    (answer,) = studio.answers.classify(picture, [id], top=3)
    assert {one["label"]: one["confidence"] for one in shares["confidences"]} == pytest.approx(
        dict(answer.top), abs=1e-4
    )
    assert answer.label in words and words.startswith("none of these") == answer.is_none


def test_a_page_for_browsers_has_all_but_the_runtime_and_says_how_to_get_it(trained, tmp_path):
    pytest.importorskip("onnxscript")
    studio, id = trained
    notes = studio.zoo.export(id, "web", tmp_path / "out")
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"README.md", "about.json", "index.html", "model.onnx"}
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert tuple(about["classes"]) == studio.zoo.card(id).classes
    (imported,) = re.findall(r'from "./(.*?)"', (tmp_path / "out" / "index.html").read_text())
    assert studio.zoo.verify_any(str(tmp_path / "out")).agrees
    assert imported in notes[1] and any(
        note.startswith("once, in that folder: npm pack") for note in notes
    )


def _when_it_answers(ask, seconds=60):
    for _ in range(4 * seconds):
        try:
            return ask()
        except Exception:  # whatever the client says of a page that is not there yet
            time.sleep(0.25)
    return ask()


def test_an_unknown_format_offers_those_there_are(trained, tmp_path):
    studio, id = trained
    with pytest.raises(UnknownName, match="did you mean 'peft'"):
        studio.zoo.export(id, "pfet", tmp_path / "out")


def test_a_one_bit_file_joins_the_zoo_and_sees_images_as_they_are(studio, picture, tmp_path):
    """The bundled backbone is 192 wide: 4 matrices of 2·192 bits a block, and a 1-bit head for two
    classes."""
    matrix = bytes(range(48)) + torch.tensor([0.001, 0.1]).numpy().tobytes()
    (tmp_path / "lora-bihead.bin").write_bytes(
        matrix * 4 * dict(bundled().kwargs)["depth"] + matrix
    )
    knobs = {"hidden": 2, "head_bits": 1, "scale": 0.1}
    given = ImportHints("bi_lora", knobs, ("a", "b"), size=32)
    id = studio.zoo.take(tmp_path / "lora-bihead.bin", given)
    assert studio.answers.classify(picture, [id])[0].label in "ab"
    backbone = studio.answers._predictor.choose(id).backbone
    assert (backbone.mean, backbone.std) == ((0, 0, 0), (1, 1, 1))
    with pytest.raises(BadValue, match="scale"):
        studio.zoo.take(tmp_path / "lora-bihead.bin", ImportHints("bi_lora", {}, ("a", "b")))


def test_a_picture_is_no_adapter(studio, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.bin")
    with pytest.raises(BadValue, match="bi_lora or bi_adaptformer"):
        studio.zoo.take(tmp_path / "a.bin")


def test_a_new_file_is_a_new_export(trained, tmp_path, monkeypatch):
    studio, id = trained
    source = (
        "from peft_demo.studio.exports import Export\n"
        "def write(out, subject):\n"
        "    out.write_text(subject.card.name)\n"
        "    return ('only its name',)\n"
        "NAME = Export('name', write)\n"
    )
    (tmp_path / "name_only.py").write_text(source)
    monkeypatch.setattr(exports, "__path__", [*exports.__path__, str(tmp_path)])
    exports.exports.cache_clear()
    try:
        assert studio.zoo.export(id, "name", tmp_path / "out") == ("only its name",)
        assert (tmp_path / "out").read_text() == studio.zoo.card(id).name
    finally:
        monkeypatch.undo()
        exports.exports.cache_clear()


def test_an_adapter_that_is_no_lora_goes_out_as_the_nearest_one(studio, short, finish, tmp_path):
    finish(studio, studio.training.start(short("hta", epochs=3)))
    (id,) = [entry.id for entry in studio.zoo.entries()]
    with pytest.raises(CannotExport, match="--rank 16"):
        studio.zoo.export(id, "peft", tmp_path / "exact")
    kept, right = studio.zoo.export(id, "peft", tmp_path / "near", 4)
    assert re.match(r"a LoRA of rank [1-4] keeps \d+.\d % of", kept)
    assert re.fullmatch(r"of \d+ test images \d+ are right, \d+ before.", right)
    assert (tmp_path / "near" / "adapter_config.json").exists()
    with pytest.raises(BadValue, match="Leave out --rank"):
        studio.zoo.export(id, "onnx", tmp_path / "a.onnx", 4)
