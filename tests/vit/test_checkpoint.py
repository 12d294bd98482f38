"""Weights files as people have them: what each is, is said; its tensors are timm's to the bit."""

import json
from argparse import Namespace
from functools import partial

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from peft_demo.contracts.errors import BadBackbone
from peft_demo.vit import load, register
from peft_demo.vit.architecture import set_size
from peft_demo.vit.checkpoint import read_checkpoint
from peft_demo.vit.fingerprint import fingerprint
from peft_demo.vit.formats import pickled
from peft_demo.vit.guess import arch_in_name

ARCH = "vit_tiny_patch16_224"


def random_model(arch=ARCH, **settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = timm.create_model(arch, **settings)
        for parameter in model.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture(scope="module")
def weights():
    """The tensors of a random ViT-Ti by timm's names, without a head."""
    return random_model(num_classes=0).state_dict()


def written(tmp_path, tensors, name="weights.safetensors"):
    save_file({key: tensor.clone() for key, tensor in tensors.items()}, tmp_path / name)
    return tmp_path / name


def under(prefix, tensors):
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


# what stands before the names


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "model.",
        "_orig_mod.",
        "visual.trunk.",
        "backbone.",
        "encoder.",
        "student.",
        "teacher.",
        "model.module._orig_mod.",
    ],
)
def test_a_prefix_is_taken_off_and_named(prefix, weights, tmp_path):
    """F13."""
    checkpoint = read_checkpoint(written(tmp_path, under(prefix, weights)), ARCH)
    assert fingerprint(checkpoint.tensors) == fingerprint(weights)
    assert f"{prefix!r} was taken off the names." in checkpoint.notices


def test_of_student_and_teacher_the_teacher_is_taken(weights, tmp_path):
    """F13: DINO's full checkpoints hold both."""
    student = {name: tensor + 1 for name, tensor in weights.items()}
    both = under("teacher.backbone.", weights) | under("student.module.backbone.", student)
    checkpoint = read_checkpoint(written(tmp_path, both), ARCH)
    assert fingerprint(checkpoint.tensors) == fingerprint(weights)
    assert "'teacher.backbone.' was taken" in checkpoint.notices[0]
    assert checkpoint.notices[1] == f"left out: student ({len(weights)})."


def test_two_models_side_by_side_are_not_chosen_between(weights, tmp_path):
    file = written(tmp_path, under("left.", weights) | under("right.", weights))
    with pytest.raises(BadBackbone, match=r"several Vision Transformers, under 'left\.' and 'rig"):
        read_checkpoint(file, ARCH)


def test_another_tower_beside_it_is_left_out_and_named(weights, tmp_path):
    """F13: OpenCLIP keeps a text tower in the same file."""
    file = written(
        tmp_path,
        under("visual.trunk.", weights)
        | {"text.token_embedding.weight": torch.zeros(2, 2), "logit_scale": torch.zeros(1)},
    )
    notices = read_checkpoint(file, ARCH).notices
    assert notices[1] == "left out: logit_scale (1), text (1)."


def test_a_file_without_a_patch_embedding_is_no_vision_transformer(tmp_path):
    file = written(tmp_path, {"model.layers.0.weight": torch.zeros(2, 2)})
    with pytest.raises(BadBackbone, match=r"weights\.safetensors has no patch embedding"):
        read_checkpoint(file, ARCH)


# heads and extras


def test_a_head_of_any_size_is_ignored_without_a_word(weights, tmp_path):
    """P16."""
    head = {"head.weight": torch.zeros(7, 192), "head.bias": torch.zeros(7)}
    checkpoint = read_checkpoint(written(tmp_path, weights | head), ARCH)
    assert fingerprint(checkpoint.tensors) == fingerprint(weights)
    assert checkpoint.notices == ()


def test_extras_of_pretraining_are_left_out_by_name(weights, tmp_path):
    """MAE keeps its decoder, DINOv2 its mask token."""
    extras = {
        "mask_token": torch.zeros(1, 192),
        "decoder_blocks.0.norm1.weight": torch.zeros(8),
        "decoder_embed.weight": torch.zeros(8, 8),
        "fc_norm.weight": torch.zeros(192),
    }
    checkpoint = read_checkpoint(written(tmp_path, weights | extras), ARCH)
    assert checkpoint.tensors.keys() == weights.keys()
    (notice,) = checkpoint.notices
    for name in ("mask_token (1)", "decoder_blocks (1)", "decoder_embed (1)", "fc_norm (1)"):
        assert name in notice


def test_a_model_that_ends_in_fc_norm_is_pooled_by_the_average(tmp_path, home):
    """MAE after fine-tuning has `fc_norm` in the place of `norm`."""
    model = random_model(num_classes=0, global_pool="avg")
    file = written(tmp_path, model.state_dict())
    card = register(file, home, ARCH, "mae")
    assert "average of the patch tokens" in card.notices[0]
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(load("mae", home=home).model(x), model(x))


def test_a_distilled_deit_is_refused_with_a_way_out(tmp_path):
    arch = "deit_tiny_distilled_patch16_224"
    file = written(tmp_path, timm.create_model(arch).state_dict(), f"{arch}.safetensors")
    with pytest.raises(BadBackbone, match=r"two heads.*deit_base_patch16_224"):
        read_checkpoint(file, "deit_tiny_patch16_224")
    with pytest.raises(BadBackbone, match=r"two heads.*`deit_base_patch16_224`"):
        register(file, tmp_path)


# image size


def test_weights_of_another_image_size_keep_it_and_take_another(tmp_path, home):
    """F15: weights for 384 px under the name for 224."""
    model = random_model(f"{ARCH[:-3]}384", num_classes=0)
    card = register(written(tmp_path, model.state_dict()), home, ARCH, "large")
    assert card.size == 384
    assert card.notices[0].startswith("its position embedding is for 384 px and not for the 224 px")
    assert card.fingerprint == fingerprint(model.state_dict())
    x = torch.randn(1, 3, 384, 384)
    with torch.no_grad():
        assert torch.equal(load("large", home=home).model(x), model(x))
        set_size(model, 224)
        smaller = load("large", 224, home=home)
        x = x[..., :224, :224]
        assert torch.equal(smaller.model(x), model(x))
    assert smaller.fingerprint == card.fingerprint


def test_weights_saved_at_112_px_say_so(tmp_path):
    """F15: a model resized before it was saved."""
    model = random_model(num_classes=0, img_size=112)
    checkpoint = read_checkpoint(written(tmp_path, model.state_dict()), ARCH)
    assert dict(checkpoint.source.kwargs) == {"img_size": 112}


def test_an_image_size_that_the_patches_do_not_divide_is_no_other_size(tmp_path):
    """timm's SigLIP for 384 px has 27 patches of 14 px."""
    arch = "vit_so400m_patch14_siglip_384"
    with torch.device("meta"):
        shapes = timm.create_model(arch, num_classes=0, depth=1).state_dict()
    tensors = {name: torch.zeros(tensor.shape) for name, tensor in shapes.items()}
    with pytest.raises(BadBackbone, match=r"lacks 'blocks\.1"):
        read_checkpoint(written(tmp_path, tensors), arch)


# other names


def transformers_pair(kind, **settings):
    """A small random model of transformers, how timm builds its like, and images for both."""
    transformers = pytest.importorskip("transformers")
    shape = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3}
    ours = {"embed_dim": 48, "depth": 2, "num_heads": 3, "num_classes": 0}
    if kind in ("ViT", "DeiT"):
        shape |= {"image_size": 32, "patch_size": 8, "intermediate_size": 192}
        arch, px = ARCH, 32
    else:
        shape |= {"image_size": 28, "patch_size": 14, "mlp_ratio": 4}
        arch, px = "vit_small_patch14_dinov2", 28
    if kind == "Dinov2WithRegisters":
        arch = "vit_small_patch14_reg4_dinov2"
    config = getattr(transformers, f"{kind}Config")(layer_norm_eps=1e-6, **shape | settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}Model")(config).eval()
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    patch = shape["patch_size"]
    build = partial(timm.create_model, arch, img_size=px, patch_size=patch, **ours)
    return model, build, torch.randn(2, 3, px, px)


@pytest.fixture
def small(monkeypatch):
    """Makes the reader build a small model in the place of an architecture's real one."""

    def use(build):
        monkeypatch.setattr("peft_demo.vit.source.Source.create", lambda source: build())

    return use


@pytest.mark.parametrize("kind", ["ViT", "Dinov2", "Dinov2WithRegisters"])
@pytest.mark.parametrize("saved", ["by save_pretrained", "as state_dict"])
def test_names_of_transformers_become_timms_with_equal_features(kind, saved, tmp_path, small):
    """F21."""
    theirs, build, images = transformers_pair(kind)
    if saved == "as state_dict":
        file = written(tmp_path, theirs.state_dict(), "model.safetensors")
    else:
        theirs.save_pretrained(tmp_path)
        file = tmp_path / "model.safetensors"
    small(build)
    arch = "vit_small_patch14_reg4_dinov2" if "Registers" in kind else ARCH
    checkpoint = read_checkpoint(file, arch)
    model = build().eval()
    model.load_state_dict(checkpoint.tensors)
    with torch.no_grad():
        expected = theirs(images).last_hidden_state[:, 0]
        assert torch.allclose(model(images), expected, atol=1e-5)
    assert any("names are those of transformers" in notice for notice in checkpoint.notices)


def test_names_of_transformers_with_a_classifier_and_a_prefix(tmp_path, small):
    """F21: ViTForImageClassification, as most files on the Hub are."""
    transformers = pytest.importorskip("transformers")
    _, build, _ = transformers_pair("ViT")
    config = transformers.ViTConfig(
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=192,
        image_size=32,
        patch_size=8,
    )
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path)
    small(build)
    checkpoint = read_checkpoint(tmp_path / "model.safetensors", ARCH)
    assert checkpoint.tensors.keys() == build().state_dict().keys()
    assert checkpoint.notices[0] == "'vit.' was taken off the names."


def test_a_distilled_deit_of_transformers_is_refused(tmp_path, small):
    theirs, build, _ = transformers_pair("DeiT")
    theirs.save_pretrained(tmp_path)
    small(build)
    with pytest.raises(BadBackbone, match="is a distilled DeiT"):
        read_checkpoint(tmp_path / "model.safetensors", "deit_tiny_patch16_224")


def test_names_of_dinov2s_own_code_become_timms(tmp_path):
    """`dinov2_vits14_reg4_pretrain.pth`: registers, a mask token, a class token with a position."""
    arch = "vit_small_patch14_reg4_dinov2"
    model = random_model(arch, num_classes=0)
    tensors = dict(model.state_dict())
    position = torch.randn(1, 1, 384)
    tensors["register_tokens"] = tensors.pop("reg_token")
    tensors["cls_token"] = tensors["cls_token"] - position
    tensors["pos_embed"] = torch.cat([position, tensors["pos_embed"]], dim=1)
    tensors["mask_token"] = torch.zeros(1, 384)
    checkpoint = read_checkpoint(written(tmp_path, tensors), arch)
    for name, tensor in model.state_dict().items():
        assert torch.allclose(checkpoint.tensors[name], tensor, atol=1e-6), name
    assert "left out: mask_token (1)." in checkpoint.notices


def test_names_of_swins_own_code_become_timms(tmp_path):
    """Microsoft's files merge patches at the end of a stage and keep buffers."""
    arch = "swin_tiny_patch4_window7_224"
    model = random_model(arch, num_classes=0)
    tensors = {}
    for name, tensor in model.state_dict().items():
        stage, found, rest = name.partition(".downsample.")
        number = int(stage.rpartition(".")[2]) - 1 if found else 0
        tensors[f"layers.{number}.downsample.{rest}" if found else name] = tensor
    tensors["layers.0.blocks.1.attn_mask"] = torch.zeros(4)
    tensors["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(4, dtype=torch.int64)
    tensors["head.weight"] = torch.zeros(1000, 768)
    checkpoint = read_checkpoint(written(tmp_path, tensors), arch)
    assert fingerprint(checkpoint.tensors) == fingerprint(model.state_dict())


# Google's npz


def google_arrays(model):
    """The arrays that Google's JAX code would have saved of a timm model."""
    D = model.embed_dim
    heads = model.blocks[0].attn.num_heads
    arrays = {
        "embedding/kernel": model.patch_embed.proj.weight.permute(2, 3, 1, 0),
        "embedding/bias": model.patch_embed.proj.bias,
        "cls": model.cls_token,
        "Transformer/posembed_input/pos_embedding": model.pos_embed,
        "Transformer/encoder_norm/scale": model.norm.weight,
        "Transformer/encoder_norm/bias": model.norm.bias,
        "head/kernel": torch.zeros(D, 5),
        "head/bias": torch.zeros(5),
    }
    for i, block in enumerate(model.blocks):
        at = f"Transformer/encoderblock_{i}"
        attention = f"{at}/MultiHeadDotProductAttention_1"
        weights = block.attn.qkv.weight.chunk(3)
        biases = block.attn.qkv.bias.chunk(3)
        for role, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
            arrays[f"{attention}/{role}/kernel"] = weight.T.unflatten(1, (heads, -1))
            arrays[f"{attention}/{role}/bias"] = bias.unflatten(0, (heads, -1))
        arrays[f"{attention}/out/kernel"] = block.attn.proj.weight.T.unflatten(0, (heads, -1))
        arrays[f"{attention}/out/bias"] = block.attn.proj.bias
        for norm, number in ((block.norm1, 0), (block.norm2, 2)):
            arrays[f"{at}/LayerNorm_{number}/scale"] = norm.weight
            arrays[f"{at}/LayerNorm_{number}/bias"] = norm.bias
        for linear, number in ((block.mlp.fc1, 0), (block.mlp.fc2, 1)):
            arrays[f"{at}/MlpBlock_3/Dense_{number}/kernel"] = linear.weight.T
            arrays[f"{at}/MlpBlock_3/Dense_{number}/bias"] = linear.bias
    return {name: tensor.detach().numpy() for name, tensor in arrays.items()}


@pytest.fixture(scope="module")
def npz(tmp_path_factory):
    """A ViT-Ti/16 for 224 px as the papers' code saves it."""
    file = tmp_path_factory.mktemp("google") / "ViT-Ti_16.npz"
    np.savez(file, **google_arrays(random_model(num_classes=0)))
    return file


def test_googles_npz_is_read_by_timms_mapping(npz, weights, home):
    """F14: the papers' ViT-B_16.npz, whose name says which architecture it is."""
    card = register(npz, home)
    assert (card.name, card.size) == (ARCH, 224)
    assert card.fingerprint == fingerprint(weights)
    assert "Google's JAX code" in card.notices[0]


def test_googles_npz_of_another_size_keeps_it(tmp_path):
    """F15."""
    model = random_model(num_classes=0, img_size=384)
    np.savez(tmp_path / "Ti_16-i21k.npz", **google_arrays(model))
    checkpoint = read_checkpoint(tmp_path / "Ti_16-i21k.npz")
    assert dict(checkpoint.source.kwargs) == {"img_size": 384}
    assert fingerprint(checkpoint.tensors) == fingerprint(model.state_dict())


def test_googles_npz_of_another_model_is_refused_with_its_name(npz):
    with pytest.raises(BadBackbone, match=r"12 blocks of width 192.*--arch vit_tiny_patch16_224"):
        read_checkpoint(npz, "vit_small_patch16_224")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": np.zeros(3)}, "without the arrays of Google's"),
        ({"conv_root/kernel": np.zeros(3)}, "is a hybrid"),
        ({"embedding/kernel": np.array([{}], dtype=object)}, "holds Python objects"),
    ],
)
def test_another_npz_says_what_it_lacks(arrays, sentence, tmp_path):
    """F14: and no pickle inside one is read."""
    np.savez(tmp_path / "ViT-Ti_16.npz", allow_pickle=True, **arrays)
    with pytest.raises(BadBackbone, match=sentence):
        read_checkpoint(tmp_path / "ViT-Ti_16.npz")


# files of torch.save


def saved(tmp_path, value, name="c.pth"):
    torch.save(value, tmp_path / name)
    return tmp_path / name


def test_a_file_of_torch_save_is_read_on_request_alone(weights, tmp_path):
    """F14: .pth, .pt and .bin."""
    value = {"model": dict(weights), "epoch": 3, "args": Namespace(lr=0.1), "optimizer": {0: [1]}}
    file = saved(tmp_path, value)
    with pytest.raises(BadBackbone, match="is a pickle"):
        read_checkpoint(file, ARCH)
    checkpoint = read_checkpoint(file, ARCH, pickles=True)
    assert fingerprint(checkpoint.tensors) == fingerprint(weights)
    assert checkpoint.notices == ("'model.' was taken off the names.",)


def test_it_is_kept_as_safetensors(weights, tmp_path, home):
    """F14: after registration nothing but safetensors is read."""
    register(saved(tmp_path, dict(weights), "pytorch_model.bin"), home, ARCH, "mine", pickles=True)
    kept = sorted(home.glob("backbones/*"))
    assert [file.suffix for file in kept] == [".json", ".safetensors"]
    assert fingerprint(load_file(kept[1])) == fingerprint(weights)


class Bomb:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def test_no_code_of_the_file_runs(tmp_path, capfd):
    file = saved(tmp_path, {"model": {"x": Bomb()}})
    with pytest.raises(BadBackbone, match=r"more than tensors: \S*print"):
        read_checkpoint(file, ARCH, pickles=True)
    assert "never" not in capfd.readouterr().out


def test_a_whole_pickled_model_says_how_to_save_its_tensors(tmp_path):
    file = saved(tmp_path, nn.Linear(2, 2))
    with pytest.raises(BadBackbone, match=r"Linear, a class whose code.*model\.state_dict\(\)"):
        read_checkpoint(file, ARCH, pickles=True)


def test_time_and_size_are_bounded(weights, tmp_path):
    file = saved(tmp_path, dict(weights))
    with pytest.raises(BadBackbone, match=r"within 0 seconds"):
        pickled.read_pickled(file, seconds=0.01)
    with pytest.raises(BadBackbone, match="takes more than"):
        pickled.read_pickled(file, largest=1000)
    expanded = saved(tmp_path, {"x": torch.zeros(1).expand(10**9)})
    with pytest.raises(BadBackbone, match="its tensors take more than"):
        pickled.read_pickled(expanded, largest=2 * 10**9)


def test_a_cut_file_of_torch_save_is_a_sentence(weights, tmp_path):
    file = saved(tmp_path, dict(weights))
    file.write_bytes(b"\x80\x02" + file.read_bytes()[:5000])
    with pytest.raises(BadBackbone, match="could not be read"):
        read_checkpoint(file, ARCH, pickles=True)


# which architecture


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("vit_tiny_patch16_224.augreg_in21k.safetensors", "vit_tiny_patch16_224.augreg_in21k"),
        ("ViT-B_16.npz", "vit_base_patch16_224"),
        ("L_16-i21k-300ep-lr_0.001.npz", "vit_large_patch16_224"),
        ("ViT-B_17.npz", ""),
        ("model.safetensors", ""),
    ],
)
def test_a_files_name_may_say_the_architecture(name, arch, tmp_path):
    assert arch_in_name(tmp_path / name) == arch


def test_without_a_name_the_tensors_are_described(weights, tmp_path, home):
    """F17: the hint can be followed."""
    with pytest.raises(BadBackbone, match=f"those of {ARCH}: add --arch {ARCH}"):
        register(written(tmp_path, weights), home)


def test_another_architecture_is_refused_with_the_right_one(weights, tmp_path):
    with pytest.raises(BadBackbone, match=rf"is not a vit_small.* add --arch {ARCH}"):
        read_checkpoint(written(tmp_path, weights), "vit_small_patch16_224")


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid", "pointer of git-lfs"),
        (b"<!doctype html>", "a web page"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"", "is empty"),
    ],
)
def test_other_files_are_named_for_what_they_are(start, sentence, tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(start)
    with pytest.raises(BadBackbone, match=sentence):
        read_checkpoint(file, ARCH)


# damage at home


def registered_file(home):
    return next(home.glob("backbones/*.safetensors"))


def test_a_changed_bit_is_met_when_the_backbone_loads(weights, tmp_path, home):
    register(written(tmp_path, weights), home, ARCH, "mine")
    file = registered_file(home)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(BadBackbone, match=r"mine have changed.*backbones add"):
        load("mine", home=home)


def record(**changes) -> bytes:
    """The record of a registered backbone, as somebody has changed it."""
    plain = {"name": "mine", "title": "t", "arch": ARCH, "fingerprint": "f"}
    return json.dumps(plain | changes).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"name": 5}',
        b'{"name": "mine", "title": null, "arch": "x", "fingerprint": "f"}',
        json.dumps({"name": "mine", "title": "t", "arch": "nonsense", "fingerprint": "f"}).encode(),
        b"[" * 3000,
        b"\xff\xfe",
        record(name="m\u202e"),
        record(name="\ud800"),
        record(kwargs={"img_size": [32]}),
        record(kwargs={"img_size": 10**400}),
        record(kwargs={"nope": {}}),
        record(kwargs={"depth": 1_000_000}),
    ],
)
def test_a_damaged_record_is_listed_with_what_to_do(content, weights, tmp_path, home):
    from peft_demo.vit import cards

    register(written(tmp_path, weights), home, ARCH, "mine")
    record = next(home.glob("backbones/*.json"))
    record.write_bytes(content)
    (card,) = [card for card in cards(home) if card.source == "registered"]
    assert f"{record.name} is damaged" in card.refusal and "backbones add FILE" in card.refusal
    assert not card.ready
    with pytest.raises(BadBackbone, match="is damaged"):
        load(card.name, home=home)
    assert load(home=home).name != card.name


def test_weights_that_are_gone_are_listed_too(weights, tmp_path, home):
    from peft_demo.vit import cards

    register(written(tmp_path, weights), home, ARCH, "mine")
    registered_file(home).unlink()
    (card,) = [card for card in cards(home) if card.source == "registered"]
    assert (card.name, "its weights are gone" in card.refusal) == ("mine", True)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("base_model.model.blocks.0.attn.qkv.lora_A.weight", "an adapter"),
        ("visual.conv1.weight", "OpenAI"),
        ("vision_model.embeddings.patch_embedding.weight", "transformers"),
        ("conv_proj.weight", "torchvision"),
        ("backbone.patch_embed.projection.weight", "mmpretrain"),
    ],
)
def test_other_names_are_told(tmp_path, name, what):
    """F13's kind: what has no patch embedding of timm's is named for what it is."""
    with pytest.raises(BadBackbone, match=what):
        read_checkpoint(written(tmp_path, {name: torch.zeros(2)}), ARCH)


def test_weights_that_are_not_finite_or_of_another_dtype_are_refused(tmp_path, weights):
    """They answered NaN, or were refused by a shape that was the same."""
    broken = weights | {"norm.weight": torch.full((192,), torch.nan)}
    with pytest.raises(BadBackbone, match=r"norm\.weight that are not finite"):
        read_checkpoint(written(tmp_path, broken), ARCH)
    doubles = {name: tensor.double() for name, tensor in weights.items()}
    with pytest.raises(BadBackbone, match="float64; weights are read as float32"):
        read_checkpoint(written(tmp_path, doubles), ARCH)


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "is empty"), (b'{\n  "weight_map": {}}', "JSON and not weights")]
)
def test_an_empty_file_and_an_index_are_named(tmp_path, content, what):
    """F14's kind: both were "cut short"."""
    file = tmp_path / "model.safetensors.index.json"
    file.write_bytes(content)
    with pytest.raises(BadBackbone, match=what):
        read_checkpoint(file, ARCH)
