"""Written for huggingface/peft and read from it, with equal logits in the real package where it is
installed."""

import json

import pytest
import timm
import torch
from safetensors.torch import load, save
from small import AS_LORA, CLASSES, STAGES, card, disturbed, images, new, random_vit

from peft_demo.adapters import attach
from peft_demo.adapters import load as load_adapter
from peft_demo.contracts.errors import BadAdapter, BadValue, CannotExport, WrongBackbone
from peft_demo.contracts.specs import ImportHints
from peft_demo.data.tensors import RESIZED
from peft_demo.interop import convert, to_peft, with_defaults
from peft_demo.methods import methods
from peft_demo.vit import wrap
from peft_demo.vit.anatomy import timm_name

SHAPE = {
    "img_size": 32,
    "patch_size": 8,
    "embed_dim": 48,
    "depth": 2,
    "num_heads": 3,
    "num_classes": CLASSES,
}
HINTS = ImportHints(classes=tuple("abcde"), backbone="tiny")


def plain_timm(backbone):
    """The backbone as timm builds it, with a head of zeros."""
    model = timm.create_model("vit_tiny_patch16_224", **SHAPE).eval()
    model.load_state_dict(
        {timm_name(n): t for n, t in backbone.model.state_dict().items()}, strict=False
    )
    return model


def written(folder, backbone, adapter):
    files, notes = to_peft(backbone, adapter, card(adapter, backbone))
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return notes


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*LoRA tensor.* have invalid shape"  # says peft of biases
)


def answers(model):
    with torch.no_grad():
        return model(images())


def taken_in(folder, backbone, hints=HINTS):
    """The logits of what an import makes of the folder, and its card."""
    file = convert(folder, with_defaults(folder, hints), backbone)
    return answers(attach(backbone, load_adapter(file, backbone)).eval()), file.card


@pytest.fixture
def folder(tiny, tmp_path):
    """A LoRA as `to_peft` writes it."""
    written(tmp_path / "lora", tiny, disturbed(new("lora", tiny)))
    return tmp_path / "lora"


# out


@pytest.mark.parametrize("name", AS_LORA)
def test_peft_loads_what_is_written_with_equal_logits(name, tiny, tmp_path):
    peft = pytest.importorskip("peft")
    adapter = disturbed(new(name, tiny))
    written(tmp_path / name, tiny, adapter)
    model = peft.PeftModel.from_pretrained(plain_timm(tiny), str(tmp_path / name)).eval()
    expected = answers(attach(tiny, adapter).eval())
    assert torch.allclose(answers(model), expected, atol=2e-6)
    assert torch.allclose(answers(model.merge_and_unload()), expected, atol=1e-5)


def test_peft_loads_linears_of_different_ranks(tiny, tmp_path):
    peft = pytest.importorskip("peft")
    adapter = disturbed(new("lora", tiny, targets=("q", "v", "proj", "fc2"), rank=3, scale=0.5))
    written(tmp_path / "a", tiny, adapter)
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert config["r"] == config["lora_alpha"] == 3 and set(config["rank_pattern"].values()) == {6}
    model = peft.PeftModel.from_pretrained(plain_timm(tiny), str(tmp_path / "a")).eval()
    assert torch.allclose(answers(model), answers(attach(tiny, adapter).eval()), atol=2e-6)


def test_a_swin_goes_out_and_comes_back(tmp_path):
    """Its linears lie two floors deep and its head is `head.fc`."""
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    model = timm.create_model("swin_tiny_patch4_window7_224", num_classes=CLASSES, **STAGES).eval()
    swin = wrap(timm.create_model("swin_tiny_patch4_window7_224", num_classes=0, **STAGES), "swin")
    model.load_state_dict(
        {timm_name(n): t for n, t in swin.model.state_dict().items()}, strict=False
    )
    adapter = disturbed(new("lora", swin))
    written(tmp_path / "swin", swin, adapter)
    expected = answers(attach(swin, adapter).eval())
    assert torch.allclose(
        answers(peft.PeftModel.from_pretrained(model, str(tmp_path / "swin")).eval()),
        expected,
        atol=2e-6,
    )
    assert torch.allclose(taken_in(tmp_path / "swin", swin)[0], expected, atol=2e-6)


def test_q_and_v_on_one_linear_take_twice_the_rank_and_it_says_so(tiny, tmp_path):
    (note,) = written(tmp_path / "a", tiny, disturbed(new("lora", tiny, rank=4)))
    assert "rank 4 on each of q and v became rank 8" in note
    assert written(tmp_path / "b", tiny, disturbed(new("arc", tiny))) == ()


def test_the_shift_of_arc_goes_into_the_bias_of_b(tiny, tmp_path):
    written(tmp_path / "a", tiny, disturbed(new("arc", tiny)))
    tensors = load((tmp_path / "a" / "adapter_model.safetensors").read_bytes())
    assert tensors["base_model.model.blocks.1.mlp.fc1.lora_B.bias"].abs().max() > 0


REFUSED = sorted(set(methods()) - set(AS_LORA))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_low_rank_product_is_refused_with_the_reason(name, tiny):
    adapter = disturbed(new(name, tiny))
    with pytest.raises(CannotExport, match="LoRA") as refusal:
        to_peft(tiny, adapter, card(adapter, tiny))
    assert ("merge" in refusal.value.hint) == adapter.method.merges(adapter.config)


# in

MADE = {
    "qkv": {"target_modules": ["attn.qkv"], "r": 4, "lora_alpha": 8},
    "all linears": {
        "target_modules": r".*blocks\..*(qkv|attn\.proj|fc1|fc2)",
        "r": 3,
        "lora_alpha": 1,
    },
    "rsLoRA": {"target_modules": ["fc1"], "r": 4, "lora_alpha": 8, "use_rslora": True},
    "one block": {
        "target_modules": ["qkv"],
        "layers_to_transform": [1],
        "layers_pattern": "blocks",
    },
    "patterns": {
        "target_modules": ["qkv", "fc2"],
        "r": 2,
        "rank_pattern": {"blocks.1.mlp.fc2": 5, "qkv": 3},
        "alpha_pattern": {"qkv": 7},
    },
    "patterns that are expressions": {
        "target_modules": ["qkv", "fc2"],
        "r": 2,
        "rank_pattern": {r"^blocks\.0.*qkv": 5, r"1\.mlp\.(fc1|fc2)": 3},
        "alpha_pattern": {r"blocks\.\d+\.mlp\.fc2": 7},
    },
    "patches too": {"target_modules": ["proj"], "r": 3, "lora_alpha": 5},
    "bias of B": {"target_modules": ["proj", "qkv"], "lora_bias": True, "lora_alpha": 3},
    "its biases": {"target_modules": ["proj", "fc1"], "bias": "lora_only"},
    "all biases": {"target_modules": ["qkv"], "bias": "all"},
    "all biases and that of B": {"target_modules": ["fc2"], "bias": "all", "lora_bias": True},
    "DoRA": {"target_modules": ["qkv", "fc2"], "r": 3, "lora_alpha": 6, "use_dora": True},
    "DoRA in one block": {
        "target_modules": ["qkv"],
        "use_dora": True,
        "layers_to_transform": [1],
        "layers_pattern": "blocks",
    },
}


@pytest.mark.parametrize("options", MADE.values(), ids=MADE)
def test_a_lora_that_peft_made_answers_the_same(options, tiny, tmp_path):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(modules_to_save=["head"], init_lora_weights=False, **options)
    torch.manual_seed(0)
    model = peft.get_peft_model(plain_timm(tiny), config).eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p += 0.1 * torch.randn_like(p)
    model.save_pretrained(tmp_path / "theirs")
    logits, its_card = taken_in(tmp_path / "theirs", tiny)
    assert torch.allclose(logits, answers(model), atol=5e-6)
    method = "dora" if options.get("use_dora") else "lora"
    assert its_card.name == "theirs" and its_card.method == method
    assert its_card.classes == HINTS.classes


@pytest.mark.parametrize("name", AS_LORA)
def test_what_goes_out_comes_back_with_equal_logits(name, tiny, tmp_path):
    adapter = disturbed(new(name, tiny))
    written(tmp_path / name, tiny, adapter)
    logits, its_card = taken_in(tmp_path / name, tiny, ImportHints())
    assert torch.allclose(logits, answers(attach(tiny, adapter).eval()), atol=2e-6)
    assert its_card.method == ("dora" if name == "dora" else "lora")


def test_one_that_comes_back_has_its_own_targets_rank_and_bias(tiny, tmp_path):
    """q and v of rank 40 stand side by side on the way, more than qkv is wide."""
    adapter = disturbed(new("lora", tiny, rank=40, bias=True, targets=("q", "v", "fc1", "patch")))
    written(tmp_path / "a", tiny, adapter)
    logits, its_card = taken_in(tmp_path / "a", tiny)
    assert torch.allclose(logits, answers(attach(tiny, adapter).eval()), atol=2e-6)
    assert adapter.method.config({**its_card.knobs, "scale": 10.0}) == adapter.config


@pytest.mark.parametrize("bias", [False, True])
def test_peft_loads_a_lora_on_the_patch_embedding(bias, tiny, tmp_path):
    peft = pytest.importorskip("peft")
    adapter = disturbed(new("lora", tiny, rank=3, bias=bias, targets=("q", "qkv", "patch")))
    written(tmp_path / "a", tiny, adapter)
    model = peft.PeftModel.from_pretrained(plain_timm(tiny), str(tmp_path / "a")).eval()
    assert torch.allclose(answers(model), answers(attach(tiny, adapter).eval()), atol=3e-6)
    assert torch.allclose(taken_in(tmp_path / "a", tiny)[0], answers(model), atol=3e-6)


def test_an_adapter_that_was_never_trained_goes_out_and_comes_back(tiny, tmp_path):
    for name in ("lora", "dora"):
        adapter = new(name, tiny)
        written(tmp_path / name, tiny, adapter)
        logits, _ = taken_in(tmp_path / name, tiny)
        assert torch.allclose(logits, answers(attach(tiny, adapter).eval()), atol=2e-6)


def test_the_pickle_of_an_old_peft_is_never_loaded_and_says_what_to_do(folder):
    (folder / "adapter_model.safetensors").unlink()
    (folder / "adapter_model.bin").write_bytes(b"PK\x03\x04")
    for path in (folder, folder / "adapter_model.bin"):
        with pytest.raises(BadAdapter, match=r"never loaded.*safe_serialization=True"):
            with_defaults(path, HINTS)


def test_what_is_written_can_be_read_back_and_says_its_classes(folder, tiny):
    expected = answers(attach(tiny, disturbed(new("lora", tiny))).eval())
    logits, its_card = taken_in(folder, tiny, ImportHints())
    assert torch.allclose(logits, expected, atol=2e-6)
    assert json.loads((folder / "peft_demo.json").read_text())["resize"] == RESIZED
    assert its_card.classes == tuple("abcde") and list(its_card.knobs["targets"]) == ["q", "v"]
    assert torch.equal(
        taken_in(folder / "adapter_model.safetensors", tiny, ImportHints())[0], logits
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read(dtype, folder, tiny):
    file = folder / "adapter_model.safetensors"
    expected = taken_in(folder, tiny)[0]
    file.write_bytes(save({name: t.to(dtype) for name, t in load(file.read_bytes()).items()}))
    assert torch.allclose(taken_in(folder, tiny)[0], expected, atol=1e-2)


def test_another_backbone_is_refused(folder):
    with pytest.raises(WrongBackbone, match="made on a backbone with sha256"):
        convert(folder, with_defaults(folder, ImportHints()), random_vit(seed=5))


@pytest.mark.parametrize("dora", [False, True])
def test_another_method_is_refused(dora, folder):
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"use_dora": dora}))
    method, other = ("dora", "lora") if dora else ("lora", "dora")
    with pytest.raises(BadValue, match=f"becomes a '{method}', not a '{other}'"):
        with_defaults(folder, ImportHints(method=other))
    assert with_defaults(folder, ImportHints(method=method)).method == method


def test_without_classes_it_asks_for_them(folder):
    (folder / "peft_demo.json").unlink()
    with pytest.raises(BadValue, match="--classes"):
        with_defaults(folder, ImportHints())


QKV = "base_model.model.blocks.0.attn.qkv"
A = f"{QKV}.lora_A.weight"
B = f"{QKV}.lora_B.weight"
HEAD = "base_model.model.head.weight"
SPOILED = {
    "not LoRA": (lambda c, t: c.update(peft_type="OFT"), "OFT"),
    "no type": (lambda c, t: c.pop("peft_type"), "None"),
    "a DoRA without magnitudes": (lambda c, t: c.update(use_dora=True), "lacks.*magnitude_vector"),
    "a DoRA with biases": (lambda c, t: c.update(use_dora=True, bias="all"), "trains biases too"),
    "something new": (lambda c, t: c.update(use_the_force={"a": 1}), "use_the_force"),
    "no bias of B": (lambda c, t: c.update(lora_bias=True), "lacks.*lora_B.bias"),
    "no biases": (
        lambda c, t: c.update(bias="lora_only"),
        "trained the bias of .*older versions of peft did not save",
    ),
    "biases of another word": (lambda c, t: c.update(bias=["all"]), "expected none, lora_only"),
    "a bias that nothing promised": (
        lambda c, t: t.update(
            {"base_model.model.blocks.0.attn.qkv.base_layer.bias": torch.ones(144)}
        ),
        "unexpected.*base_layer.bias",
    ),
    "PiSSA": (lambda c, t: c.update(init_lora_weights="pissa"), "pissa"),
    "a start that is no word": (lambda c, t: c.update(init_lora_weights=[1]), "started with"),
    "a rank that lies": (lambda c, t: c.update(r=7), "says rank 7"),
    "alpha that is no number": (
        lambda c, t: c.update(lora_alpha="a lot"),
        "expected a number up to 1e9",
    ),
    "alpha that is not finite": (
        lambda c, t: c.update(lora_alpha=float("inf")),
        "expected a number up to 1e9",
    ),
    "alpha without end": (lambda c, t: c.update(lora_alpha=10**400), "expected a number up to 1e9"),
    "a dropout that is a word": (lambda c, t: c.update(lora_dropout="much"), "dropout"),
    "a pattern to match for ever": (
        lambda c, t: c.update(rank_pattern={"(a+)+b": 2}),
        "rank_pattern",
    ),
    "a pattern of too many repeats": (
        lambda c, t: c.update(rank_pattern={".*.*.*b": 2}),
        "rank_pattern",
    ),
    "a pattern of too many groups": (
        lambda c, t: c.update(rank_pattern={"(.|.)(.|.)b": 2}),
        "rank_pattern",
    ),
    "a pattern that is none": (lambda c, t: c.update(rank_pattern={"[b": 2}), "rank_pattern"),
    "more patterns than blocks": (
        lambda c, t: c.update(rank_pattern={f"a{i}": 2 for i in range(200)}),
        "rank_pattern",
    ),
    "patterns that are none": (lambda c, t: c.update(alpha_pattern=["qkv"]), "alpha_pattern"),
    "no head": (lambda c, t: t.pop(HEAD), "no classifier head"),
    "another head": (lambda c, t: t.update({HEAD: torch.zeros(4, 48)}), "expected"),
    "half a product": (lambda c, t: t.pop(B), "lacks"),
    "a stray tensor": (lambda c, t: t.update(stray=torch.zeros(1)), "unexpected"),
    "a norm": (
        lambda c, t: t.update({"base_model.model.norm.lora_A.weight": torch.zeros(2, 48)}),
        "neither a linear inside a block",
    ),
    "a DoRA of the patch embedding": (
        lambda c, t: (
            c.update(use_dora=True),
            t.update({"base_model.model.patch_embed.proj.lora_A.weight": torch.zeros(2, 3, 8, 8)}),
        ),
        "a `dora` here cannot stand",
    ),
    "a patch embedding that is no convolution": (
        lambda c, t: t.update(
            {
                "base_model.model.patch_embed.proj.lora_A.weight": torch.zeros(16, 192),
                "base_model.model.patch_embed.proj.lora_B.weight": torch.zeros(48, 16),
            }
        ),
        r"expected \[16, 3, 8, 8\]",
    ),
    "a module saved whole": (
        lambda c, t: t.update({"base_model.model.norm.weight": torch.ones(48)}),
        "unexpected.*norm.weight",
    ),
    "no LoRA at all": (lambda c, t: [t.pop(n) for n in list(t) if ".lora_" in n], "no lora_A"),
    "a number for a matrix": (lambda c, t: t.update({A: torch.tensor(1.0)}), "expected"),
    "no rank in one of its places": (
        lambda c, t: (
            c.update(rank_pattern={"blocks.0.attn.qkv": 0}),
            t.update({A: torch.zeros(0, 48), B: torch.zeros(144, 0)}),
        ),
        "at least 1",
    ),
    "no rank": (lambda c, t: t.update({A: torch.zeros(0, 48), B: torch.zeros(144, 0)}), "rank"),
    "other widths": (lambda c, t: t.update({A: torch.zeros(16, 64)}), "expected"),
    "ranks without end": (
        lambda c, t: t.update({A: torch.zeros(500, 48), B: torch.zeros(144, 500)}),
        "rank",
    ),
    "integers": (lambda c, t: t.update({A: torch.zeros(16, 48, dtype=torch.int32)}), "I32"),
    "a NaN": (lambda c, t: t.update({A: torch.full((16, 48), torch.nan)}), "not a finite"),
}


@pytest.mark.parametrize(("spoil", "sentence"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_folder_is_refused_with_a_sentence(folder, tiny, spoil, sentence):
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load((folder / "adapter_model.safetensors").read_bytes())
    spoil(config, tensors)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "adapter_model.safetensors").write_bytes(save(tensors))
    with pytest.raises((BadAdapter, BadValue), match=sentence):
        taken_in(folder, tiny)


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_folder_without_one_of_the_two_files_is_refused(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(BadAdapter, match=f"it has no {missing}"):
        with_defaults(folder, HINTS)


@pytest.mark.parametrize("name", ["adapter_config.json", "peft_demo.json"])
@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"{" * 5000, b"\xff\xfe", b" " * 2_000_000], ids=repr
)
def test_nonsense_for_json_is_refused(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(BadAdapter, match="not a JSON object"):
        with_defaults(folder, HINTS)


@pytest.mark.parametrize(
    "lie",
    [
        {"classes": 3},
        {"classes": ["a"] * 5},
        {"size": "x"},
        {"std": [0, 0, 0]},
        {"mean": ["a", "b", "c"]},
    ],
    ids=repr,
)
def test_a_note_that_lies_is_refused_or_not_believed(folder, tiny, lie):
    note = json.loads((folder / "peft_demo.json").read_text()) | lie
    (folder / "peft_demo.json").write_text(json.dumps(note))
    try:
        _, its_card = taken_in(folder, tiny, ImportHints())
    except (BadAdapter, BadValue):
        return
    assert its_card.size == tiny.size and min(its_card.std) > 0
