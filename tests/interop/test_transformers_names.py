"""LoRAs under transformers' names: made by the real packages and read, written and loaded by them,
with equal logits. The names themselves are tested without the packages."""

import json
import re

import pytest
import timm
import torch
from safetensors.torch import load, save
from small import AS_LORA, CLASSES, STAGES, card, disturbed, images, new, random_vit

from peft_demo.adapters import attach
from peft_demo.adapters import load as load_adapter
from peft_demo.contracts.errors import BadAdapter, BadValue
from peft_demo.contracts.specs import ImportHints
from peft_demo.interop import convert, fit, fit_to_peft, to_peft, with_defaults
from peft_demo.interop.transformers_names import (
    SIGLIP,
    VIT_4,
    VIT_5,
    layout_for,
    naming_of,
    transformers_naming,
)
from peft_demo.vit import wrap
from peft_demo.vit.anatomy import timm_name
from peft_demo.vit.formats.names import to_timm_names

pytestmark = [
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*LoRA tensor.* have invalid shape"),  # says it of biases
]
HINTS = ImportHints(classes=tuple("abcde"), backbone="tiny")
SIZES = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 192,
    "image_size": 32,
    "patch_size": 8,
    "layer_norm_eps": 1e-6,
}
GAP = {"class_token": False, "global_pool": "avg", "fc_norm": False}


def tensors_for(layout, backbone):
    """The backbone's tensors under the names of a layout."""
    naming = naming_of(layout, backbone.anatomy)
    frozen = backbone.model.state_dict()
    tensors = {}
    for path, site in naming.sites.items():
        whole = "patch_embed.proj" if site.role == "patch" else site.whole_path
        for kind in ("weight", "bias"):
            tensor = frozen[f"{whole}.{kind}"]
            tensors[f"{path}.{kind}"] = tensor[site.rows] if site.role in "qkv" else tensor
    start = f"{layout.start}embeddings"
    if layout is SIGLIP:
        tensors[f"{start}.position_embedding.weight"] = frozen["pos_embed"][0]
    else:
        tensors[f"{start}.cls_token"] = frozen["cls_token"]
        tensors[f"{start}.position_embeddings"] = frozen["pos_embed"]
    return tensors


def filled(model, tensors):
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.startswith("classifier.") for name in missing)
    return model.eval()


def their_vit(backbone, **settings):
    """transformers' model with the weights of the backbone; its head is random."""
    transformers = pytest.importorskip("transformers", minversion="5.0")
    config = transformers.ViTConfig(**{**SIZES, "num_labels": CLASSES, **settings})
    torch.manual_seed(0)
    model = transformers.ViTForImageClassification(config)
    return filled(model, tensors_for(VIT_5, backbone))


def their_siglip(backbone):
    transformers = pytest.importorskip("transformers", minversion="5.0")
    vision = transformers.SiglipVisionConfig(**SIZES, hidden_act="gelu", vision_use_head=False)
    config = transformers.SiglipConfig(vision_config=vision, num_labels=CLASSES)
    torch.manual_seed(0)
    model = transformers.SiglipForImageClassification(config)
    return filled(model, tensors_for(SIGLIP, backbone))


def siglip():
    return random_vit(**GAP)


KINDS = {"vit": (random_vit, their_vit, VIT_5), "siglip": (siglip, their_siglip, SIGLIP)}


def logits(model):
    with torch.no_grad():
        return model(images()).logits


def ours(backbone, adapter):
    with torch.no_grad():
        return attach(backbone, adapter).eval()(images())


def written(folder, backbone, adapter, layout):
    naming = naming_of(layout, backbone.anatomy)
    files, notes = to_peft(backbone, adapter, card(adapter, backbone), naming=naming)
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return notes


def taken_in(folder, backbone, hints=HINTS):
    file = convert(folder, with_defaults(folder, hints), backbone)
    adapter = load_adapter(file, backbone)
    return ours(backbone, adapter), adapter


def trained(model, options, head="classifier"):
    """The model under a LoRA of peft's that is away from its start."""
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(modules_to_save=[head], **{"init_lora_weights": False, **options})
    torch.manual_seed(1)
    model = peft.get_peft_model(model, config).eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p += 0.1 * torch.randn_like(p)
    return model


# in

MADE = {
    "q and v": {"target_modules": ["q_proj", "v_proj"], "r": 4, "lora_alpha": 8},
    "all linears": {"target_modules": "all-linear", "r": 3, "exclude_modules": ["classifier"]},
    "rsLoRA": {"target_modules": ["k_proj", "fc1"], "r": 4, "use_rslora": True},
    "DoRA": {"target_modules": ["q_proj", "fc2"], "r": 4, "use_dora": True},
    "patterns": {
        "target_modules": ["q_proj", "fc2"],
        "r": 2,
        "rank_pattern": {r"layers\.0\..*q_proj": 5, "^vit.*fc2": 3},
        "alpha_pattern": {"layers.1.attention.q_proj": 7},
    },
    "bias of B": {"target_modules": ["q_proj", "fc1"], "lora_bias": True},
    "its biases": {"target_modules": ["q_proj", "fc1"], "bias": "lora_only"},
    "all biases": {"target_modules": ["v_proj", "fc1"], "bias": "all"},
}


@pytest.mark.parametrize("options", MADE.values(), ids=MADE)
def test_a_lora_that_peft_made_on_a_vit_answers_the_same(options, tiny, tmp_path):
    model = trained(their_vit(tiny), options)
    model.save_pretrained(tmp_path / "theirs")
    found, _ = taken_in(tmp_path / "theirs", tiny)
    assert torch.allclose(found, logits(model), atol=5e-6)


def test_one_on_a_siglip_answers_the_same(tmp_path):
    backbone = siglip()
    options = {"target_modules": ["q_proj", "out_proj", "fc1"], "r": 4}
    model = trained(their_siglip(backbone), options)
    model.save_pretrained(tmp_path / "theirs")
    found, adapter = taken_in(tmp_path / "theirs", backbone)
    assert torch.allclose(found, logits(model), atol=5e-6)
    assert adapter.config.targets == ("q", "proj", "fc1")


def test_one_on_timm_s_model_in_a_wrapper_of_transformers_answers_the_same(tiny, tmp_path):
    transformers = pytest.importorskip("transformers", minversion="5.0")
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
    config = transformers.TimmWrapperConfig(
        architecture="vit_tiny_patch16_224", model_args=shape, num_labels=CLASSES
    )
    model = transformers.TimmWrapperForImageClassification(config)
    frozen = {timm_name(n): t for n, t in tiny.model.state_dict().items()}
    model.timm_model.load_state_dict(frozen, strict=False)
    model = trained(model.eval(), {"target_modules": ["qkv", "fc2"], "r": 3}, head="head")
    model.save_pretrained(tmp_path / "theirs")
    found, _ = taken_in(tmp_path / "theirs", tiny)
    assert torch.allclose(found, logits(model), atol=5e-6)


def test_one_place_under_two_names_is_refused(tiny, tmp_path):
    for layout in (VIT_4, VIT_5):
        written(tmp_path / layout.block, tiny, disturbed(new("lora", tiny)), layout)
    file, other = (
        tmp_path / layout.block / "adapter_model.safetensors" for layout in (VIT_4, VIT_5)
    )
    file.write_bytes(save(load(file.read_bytes()) | load(other.read_bytes())))
    with pytest.raises(BadAdapter, match="under two names"):
        taken_in(file, tiny)


def test_the_names_of_transformers_4_are_read_as_those_of_5(tiny, tmp_path):
    adapter = disturbed(new("lora", tiny, targets=("q", "v", "proj", "fc1", "fc2"), rank=4))
    for layout in (VIT_4, VIT_5):
        written(tmp_path / layout.block, tiny, adapter, layout)
        found, again = taken_in(tmp_path / layout.block, tiny)
        assert torch.allclose(found, ours(tiny, adapter), atol=2e-6)
        assert again.config.targets == adapter.config.targets and again.config.rank == 4
    names = load((tmp_path / VIT_4.block / "adapter_model.safetensors").read_bytes())
    start = "base_model.model.vit.encoder.layer.1"
    assert f"{start}.attention.attention.query.lora_A.weight" in names
    assert f"{start}.output.dense.lora_B.weight" in names


@pytest.mark.parametrize("layout", [VIT_4, VIT_5], ids=["4", "5"])
def test_the_names_are_those_by_which_a_checkpoint_is_read(layout, tiny):
    """What is written here, `backbones add` turns into timm's names."""
    tensors = {
        name.removeprefix(layout.start): tensor
        for name, tensor in tensors_for(layout, tiny).items()
    }
    renamed, _ = to_timm_names(tensors)
    assert (
        renamed.keys()
        == timm.create_model("vit_tiny_patch16_224", num_classes=0, depth=2).state_dict().keys()
    )


# out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", AS_LORA)
def test_transformers_loads_what_is_written_with_equal_logits(name, kind, tmp_path):
    peft = pytest.importorskip("peft")
    make, theirs, layout = KINDS[kind]
    backbone = make()
    adapter = disturbed(new(name, backbone))
    written(tmp_path / "a", backbone, adapter, layout)
    model = peft.PeftModel.from_pretrained(theirs(backbone), str(tmp_path / "a")).eval()
    expected = ours(backbone, adapter)
    assert torch.allclose(logits(model), expected, atol=3e-6)
    assert torch.allclose(taken_in(tmp_path / "a", backbone)[0], expected, atol=3e-6)


def test_q_k_and_v_keep_their_rank_and_nothing_stands_on_k(tiny, tmp_path):
    assert written(tmp_path / "a", tiny, disturbed(new("lora", tiny, rank=4)), VIT_5) == ()
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert config["r"] == 4 and not config["rank_pattern"]
    assert {path.rpartition(".")[2] for path in config["target_modules"]} == {"q_proj", "v_proj"}


def test_the_nearest_lora_goes_out_under_these_names_too(tiny, tmp_path):
    peft = pytest.importorskip("peft")
    adapter = disturbed(new("ln", tiny))
    fitted = fit(tiny, adapter, 48)
    files = fit_to_peft(tiny, fitted, card(adapter, tiny), naming=naming_of(VIT_5, tiny.anatomy))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    model = peft.PeftModel.from_pretrained(their_vit(tiny), str(tmp_path)).eval()
    assert torch.allclose(logits(model), ours(tiny, adapter), atol=1e-5)
    assert torch.allclose(taken_in(tmp_path, tiny)[0], ours(tiny, adapter), atol=1e-5)


def test_the_epsilon_of_the_norms_is_part_of_the_model(tiny):
    """transformers' own 1e-12 against timm's 1e-6 moves logits a little: docs/exchange.md."""
    exact = logits(their_vit(tiny))
    other = logits(their_vit(tiny, layer_norm_eps=1e-12))
    assert 0 < (exact - other).abs().max() < 1e-3


# refused

OTHERS = {
    "layer scales": ({"init_values": 0.1}, "a layer scale"),
    "the mean of the patches": ({"global_pool": "avg"}, "the pooling 'avg'"),
    "registers": ({"reg_tokens": 2}, "other tokens before its patches"),
    "no position of the class token": ({"no_embed_class": True}, "other tokens"),
    "a norm before its blocks": ({"pre_norm": True}, "a norm before its blocks"),
    "norms of its queries": ({"qk_norm": True}, "a norm of its queries"),
    "no last norm": ({"final_norm": False}, "no norm before it pools"),
}


@pytest.mark.parametrize(("settings", "difference"), OTHERS.values(), ids=OTHERS)
def test_a_backbone_that_computes_something_else_is_refused_with_the_difference(
    settings, difference, tiny, tmp_path
):
    written(tmp_path / "a", tiny, disturbed(new("lora", tiny)), VIT_5)
    (tmp_path / "a" / "peft_demo.json").unlink()
    backbone = random_vit(**settings)
    with pytest.raises(BadValue, match=f"not a ViTForImageClassification.*{re.escape(difference)}"):
        taken_in(tmp_path / "a", backbone)
    with pytest.raises(BadValue, match="it has"):
        layout_for(backbone, VIT_5)


def test_a_swin_is_no_vit():
    swin = wrap(timm.create_model("swin_tiny_patch4_window7_224", num_classes=0, **STAGES), "swin")
    with pytest.raises(BadValue, match="the anatomy of a SwinTransformer"):
        layout_for(swin, VIT_5)


STRANGERS = {
    "deit.layers.0.attention.q_proj": "distillation token",
    "dinov2.encoder.layer.0.attention.q_proj": "side by side",
    "dinov2_with_registers.encoder.layer.0.attention.q_proj": "side by side",
    "beit.layers.0.attention.q_proj": "relative positions",
    "swin.encoder.layers.0.blocks.0.attention.self.query": "Swin of transformers",
}


@pytest.mark.parametrize(("path", "reason"), STRANGERS.items())
def test_other_models_of_transformers_are_refused_with_the_reason(path, reason, tiny):
    with pytest.raises(BadValue, match=reason):
        transformers_naming([path], "", tiny)


def test_a_clip_is_refused_since_it_pools_before_its_last_norm():
    path = "vision_model.encoder.layers.0.self_attn.q_proj"
    with pytest.raises(BadValue, match="averages the patches before its last norm"):
        transformers_naming([path], "CLIPForImageClassification", siglip())
    assert transformers_naming([path], "", siglip())
    clip = random_vit(global_pool="avg", pre_norm=True, final_norm=False)
    with pytest.raises(BadValue, match="not a SiglipForImageClassification"):
        transformers_naming([path], "", clip)


def test_a_class_that_nobody_knows_is_refused(tiny):
    with pytest.raises(BadValue, match="ViTMSNForImageClassification is no model"):
        transformers_naming(["vit.layers.0.mlp.fc1"], "ViTMSNForImageClassification", tiny)


@pytest.mark.parametrize("base", ["google/vit-base-patch16-224", "/home/me/vit", None])
def test_without_a_provable_backbone_it_asks_and_never_guesses(base, tiny, tmp_path):
    written(tmp_path / "a", tiny, disturbed(new("lora", tiny)), VIT_5)
    (tmp_path / "a" / "peft_demo.json").unlink()
    file = tmp_path / "a" / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"base_model_name_or_path": base}))
    with pytest.raises(BadValue, match="--backbone"):
        with_defaults(tmp_path / "a", ImportHints(classes=tuple("abcde")))
    assert with_defaults(tmp_path / "a", HINTS).backbone == "tiny"


def test_without_its_classifier_it_is_told_how_to_save_it(tiny, tmp_path):
    written(tmp_path / "a", tiny, disturbed(new("lora", tiny)), VIT_5)
    file = tmp_path / "a" / "adapter_model.safetensors"
    tensors = load(file.read_bytes())
    file.write_bytes(save({n: t for n, t in tensors.items() if "classifier" not in n}))
    with pytest.raises(BadAdapter, match=r'modules_to_save=\["classifier"\]') as refusal:
        taken_in(tmp_path / "a", tiny)
    assert "no classifier head" in refusal.value.sentence
