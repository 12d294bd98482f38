"""Every family of backbones with every method: the laws hold, or a sentence refuses."""

from dataclasses import replace

import pytest
import timm
import torch
from small import CLASSES, SEED, STAGES, disturbed, labels, new
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F

from peft_demo.adapters import attach, merge, merged_tensors
from peft_demo.contracts.errors import BadBackbone, BadValue, CannotMerge
from peft_demo.methods import methods
from peft_demo.training.recompute import recompute_blocks
from peft_demo.vit import anatomy_of, wrap
from peft_demo.vit.anatomy import expose, inspect_anatomy, timm_name, tree_name
from peft_demo.vit.architecture import resolution
from peft_demo.vit.source import Source

SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
FAMILIES = {
    "DINOv2": ("vit_small_patch14_dinov2", SMALL | {"img_size": 28, "patch_size": 14}),
    "DINOv2 registers": (
        "vit_small_patch14_reg4_dinov2",
        SMALL | {"img_size": 28, "patch_size": 14},
    ),
    "DINOv2 giant": (
        "vit_giant_patch14_dinov2",
        SMALL | {"img_size": 28, "patch_size": 14, "mlp_ratio": 4.0},
    ),
    "DINOv3": ("vit_small_patch16_dinov3", SMALL),
    "CLIP": ("vit_base_patch32_clip_224", SMALL),
    "CLIP QuickGELU": ("vit_base_patch32_clip_quickgelu_224", SMALL),
    "SigLIP": ("vit_base_patch16_siglip_224", SMALL),
    "SigLIP average": ("vit_base_patch16_siglip_gap_224", SMALL),
    "Swin": ("swin_tiny_patch4_window7_224", STAGES),
}
ON_GRIDS = {
    "vpt_shallow": "VPT",
    "vpt_deep": "VPT",
    "convpass": "Convpass",
    "fact_tt": "FacT",
    "fact_tk": "FacT",
}
REFUSED = {("Swin", method): title for method, title in ON_GRIDS.items()}
SHIFTING_QKV = ("arc", "arc_att", "repadapter", "rlrr", "ssf")
UNMERGED = {("DINOv3", method) for method in SHIFTING_QKV}
"""DINOv3's qkv has no bias that could take up a shift."""

each_family = pytest.mark.parametrize("family", FAMILIES)


def small_model(family, classes=0):
    """A small random model of the family; norms, biases and layer scales are not constant."""
    arch, shape = FAMILIES[family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = timm.create_model(arch, num_classes=classes, **shape)
        for p in model.parameters():
            p.data += 0.05 * torch.randn_like(p)
    return model.eval()


@pytest.fixture(scope="module")
def backbones():
    return {family: wrap(small_model(family), family) for family in FAMILIES}


def pictures(backbone, n=4):
    return torch.randn(
        n, 3, backbone.size, backbone.size, generator=torch.Generator().manual_seed(0)
    )


def combinations():
    names = sorted(methods())
    return [(family, name) for family in FAMILIES for name in names]


@each_family
def test_an_exposed_model_is_bit_equal_to_timms(family, backbones):
    x = pictures(backbones[family])
    with torch.no_grad():
        assert torch.equal(backbones[family].model(x), small_model(family)(x))


@each_family
def test_every_tensor_has_timms_name_and_back_and_no_site_is_silent(family, backbones):
    anatomy = backbones[family].anatomy
    tree = backbones[family].model
    assert not anatomy.silent
    assert set(anatomy.tensors) == dict(small_model(family).named_parameters()).keys()
    assert {tree_name(name) for name in anatomy.tensors} == dict(tree.named_parameters()).keys()
    assert all(timm_name(tree_name(name)) == name for name in anatomy.tensors)


@pytest.mark.parametrize(("family", "name"), combinations())
def test_every_method_works_or_is_refused_in_a_sentence(family, name, backbones):
    backbone = backbones[family]
    if (family, name) in REFUSED:
        with pytest.raises(BadValue, match=f"{REFUSED[family, name]} does not fit {family}: "):
            new(name, backbone)
        with pytest.raises(BadValue, match=REFUSED[family, name]):
            methods()[name].count(backbone.anatomy, methods()[name].config())
        return
    adapter = new(name, backbone)
    assert adapter.trainable == adapter.method.count(backbone.anatomy, adapter.config)
    assert reached(backbone, adapter) == {n for n, _ in adapter.named_parameters()}
    assert all(p.grad is None for p in backbone.model.parameters())


@pytest.mark.parametrize(("family", "name"), combinations())
def test_merged_equals_attached_under_timms_own_names(family, name, backbones):
    if (family, name) in REFUSED:
        return
    backbone = backbones[family]
    x = pictures(backbones[family])
    adapter = disturbed(new(name, backbone))
    if not adapter.method.merges(adapter.config) or (family, name) in UNMERGED:
        with pytest.raises(CannotMerge, match=r"not linear|(qkv|q) has no bias"):
            merge(backbone, adapter)
        return
    plain = small_model(family, CLASSES)
    plain.load_state_dict(merged_tensors(backbone, adapter), strict=True)
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(x)
        merged = merge(backbone, adapter).eval()(x)
        written = plain(x)
    assert torch.isfinite(attached).all()
    tolerance = 1e-5 * attached.abs().max().clamp(min=1.0)
    assert (merged - attached).abs().max() <= tolerance
    assert (written - attached).abs().max() <= tolerance


def reached(backbone, adapter):
    """Names of the adapter's tensors that three backward passes reach."""
    model = attach(backbone, adapter).train()
    names = set()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.5)
    torch.manual_seed(SEED)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(pictures(backbone)), labels()).backward()
        for name, parameter in adapter.named_parameters():
            if parameter.grad is not None and parameter.grad.abs().max() > 0:
                names.add(name)
        optimizer.step()
    return names


@each_family
def test_it_compiles_in_one_full_graph(family, backbones):
    torch._dynamo.reset()
    backbone = backbones[family]
    model = attach(backbone, disturbed(new("lora", backbone))).eval()
    x = pictures(backbone)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(compiled(x), model(x), atol=1e-5)


@each_family
def test_a_silent_site_is_refused_at_attach(family, backbones):
    backbone = backbones[family]
    adapter = new("lora", backbone)
    site = backbone.anatomy.at("q")[0].name
    sites = {n: s for n, s in backbone.anatomy.sites.items() if n != site}
    silent = {site: f"{family} never calls its q module."}
    anatomy = replace(backbone.anatomy, sites=sites, silent=silent)
    with pytest.raises(BadValue, match=f"no site '{site}'. {family} never calls"):
        attach(replace(backbone, anatomy=anatomy), adapter)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("linear", 0),
        ("lora", 2 * 8 * 2 * 12_032),
        ("arc", 218_464),
        ("arc_att", 109_232),
        ("rlrr", 358_144),
        ("hta", 240_640),
        ("ssf", 22 * 12_032 + 2 * 128 + 2 * 4 * 896 + 2 * 1024),
        ("bitfit", 11 * 12_032 + 2 * 128 + 4 * 896 + 1024),
        ("full", 86_743_224),
    ],
)
def test_counts_on_swin_base(name, count):
    """Swin-B: 2, 2, 18, 2 blocks of width 128 to 1024, 12 032 channels; 896 before its mergers."""
    anatomy = anatomy_of(Source("b", "b", "swin_base_patch4_window7_224"))
    method = methods()[name]
    assert method.count(anatomy, method.config()) == count


def test_a_swins_blocks_know_their_stage_and_their_number(backbones):
    blocks = backbones["Swin"].anatomy.at("block")
    assert [(b.name, b.block, b.stage) for b in blocks] == [
        ("layers.0.blocks.0", 0, 0),
        ("layers.0.blocks.1", 1, 0),
        ("layers.1.blocks.0", 2, 1),
        ("layers.1.blocks.1", 3, 1),
    ]
    assert backbones["Swin"].anatomy.widths == (32, 64)


def test_arc_on_a_swin_shares_one_projection_per_stage_and_role(backbones):
    deltas = new("arc", backbones["Swin"]).by_site()
    owners = {}
    for name, delta in deltas.items():
        owners.setdefault(id(delta.projection), []).append(name)
    expected = [
        [f"layers.{s}.blocks.{i}.{role}" for i in (0, 1)] for s in (0, 1) for role in ("fc1", "qkv")
    ]
    assert sorted(owners.values()) == expected


def test_a_swin_takes_another_size_where_its_windows_fit():
    source = Source("t", "t", "swin_tiny_patch4_window7_224")
    assert anatomy_of(source, 128).grid == (32, 32)
    with pytest.raises(BadBackbone, match=r"patches of 32 px. Try 96"):
        resolution(source.empty(), 100)


def test_a_swin_answers_at_another_size():
    backbone = wrap(small_model("Swin"), "Swin", size=64)
    with torch.no_grad():
        assert torch.isfinite(attach(backbone, new("arc", backbone))(pictures(backbone))).all()


@pytest.mark.parametrize(
    ("arch", "reason"),
    [
        ("vit_small_patch16_dinov3_qkvb", "reads its qkv past the module"),
        ("vit_small_plus_patch16_dinov3", "SwiGLU, which is not taken apart"),
        ("eva02_tiny_patch14_224", "rotary positions only"),
        ("swinv2_tiny_window8_256", "SwinTransformerV2 is not"),
    ],
)
def test_relatives_that_cannot_be_taken_apart_say_why(arch, reason):
    with torch.device("meta"):
        model = timm.create_model(arch, num_classes=0)
    with pytest.raises(BadBackbone, match=reason):
        expose(model)


@pytest.mark.parametrize(
    "arch", ["vit_small_patch16_dinov3", "vit_base_patch16_dinov3", "swin_s3_tiny_224"]
)
def test_real_architectures_are_inspected_without_weights(arch):
    with torch.device("meta"):
        anatomy = inspect_anatomy(expose(timm.create_model(arch, num_classes=0)), arch)
    assert not anatomy.silent and len(anatomy.at("q", "v")) == 2 * anatomy.depth


@each_family
def test_blocks_that_are_computed_again_keep_little_and_have_the_same_gradients(family, backbones):
    backbone = backbones[family]
    adapter = disturbed(new("lora", backbone))
    model = attach(backbone, adapter).train()
    normal, first = saved_and_gradients(model, adapter, pictures(backbone))
    recompute_blocks(model)
    low, second = saved_and_gradients(model, adapter, pictures(backbone))
    assert low < normal / 2
    assert all(map(torch.equal, first, second))


def saved_and_gradients(model, adapter, x):
    """Bytes that a pass keeps outside of what it will compute again, and the gradients."""
    sizes = []

    def note(tensor):
        sizes.append(tensor.nbytes)
        return tensor

    torch.manual_seed(0)  # Swin leaves branches out by chance
    adapter.zero_grad()
    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = model(x).square().sum()
    loss.backward()
    return sum(sizes), [p.grad.clone() for p in adapter.parameters()]
