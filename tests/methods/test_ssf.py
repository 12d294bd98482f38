import pytest
import torch
from small import by_decay, disturbed, images, new, random_vit
from torch import nn

from peft_demo.adapters import attach, create, merge
from peft_demo.contracts.errors import BadValue, CannotMerge
from peft_demo.methods import find_method
from peft_demo.methods.ssf import LEAST, ScaleShift
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

SSF = find_method("ssf")


def test_it_is_the_papers_formula():
    torch.manual_seed(0)
    d = ScaleShift(Site("blocks.0.fc1", "fc1", "", 6, 10, 0), "random").double()
    f = nn.Linear(6, 10).double()
    x = torch.randn(2, 7, 6, dtype=torch.float64)
    d.scale.data = torch.randn(10).double()
    d.shift.data = torch.randn(10).double()
    with torch.no_grad():
        dense = (x @ f.weight.T + f.bias) @ torch.diag(d.scale) + torch.ones(
            2, 7, 1
        ).double() * d.shift
        assert torch.allclose(d(f, x), dense, atol=1e-12)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert SSF.count(vit_b, SSF.config()) == 205_824
    assert SSF.count(vit_b, SSF.config({"targets": ("norm1", "norm2", "norm")})) == 38_400


def test_it_stands_after_every_operation(tiny):
    adapter = create(SSF, SSF.config(), tiny, 5, seed=0)
    block = {f"blocks.1.{role}" for role in ("norm1", "qkv", "proj", "norm2", "fc1", "fc2")}
    assert {name for name in adapter.by_site() if not name.startswith("blocks.0")} == block | {
        "patch",
        "norm",
    }


def test_it_starts_near_one_and_zero():
    torch.manual_seed(0)
    d = ScaleShift(Site("norm", "norm", "norm", 4000, 4000), "random")
    assert abs(d.scale.mean() - 1) < 2e-3 and abs(d.shift.mean()) < 2e-3
    assert abs(d.scale.std() - 0.02) < 2e-3 and abs(d.shift.std() - 0.02) < 2e-3


def test_the_zero_start_is_the_frozen_model(tiny):
    adapter = create(SSF, SSF.config({"start": "zero"}), tiny, 5, seed=0).eval()
    assert SSF.identity(adapter.config) and not SSF.identity(SSF.config())
    with torch.no_grad():
        assert torch.allclose(
            attach(tiny, adapter).forward_features(images()), tiny.model.forward_features(images())
        )


def test_every_scale_and_shift_learns_from_the_zero_start():
    d = ScaleShift(Site("norm", "norm", "norm", 6, 6), "zero")
    x = torch.randn(2, 7, 6)
    (d(nn.LayerNorm(6), x) * torch.randn(2, 7, 6)).sum().backward()
    assert d.scale.grad.all() and d.shift.grad.all()


def from_y(y):
    """Whether the gradient of γ is had from y, and f(x) is not kept."""
    return type(y.grad_fn).__name__ == "ScaledAndShiftedBackward"


def gradients(outputs, d, x):
    """Those of x, γ and β, for one direction of the outputs."""
    torch.manual_seed(2)
    dy = torch.randn_like(outputs)
    return torch.autograd.grad(outputs, (x, d.scale, d.shift), dy)


@pytest.mark.parametrize("role", ["qkv", "proj", "norm", "norm without bias"])
def test_its_gradients_are_those_of_the_formula(role):
    torch.manual_seed(0)
    name = role.partition(" ")[0]
    d = ScaleShift(Site(name, name, "", 10, 10, 0), "random").double()
    f = nn.Linear(10, 10) if name != "norm" else nn.LayerNorm(10, bias=role == "norm")
    f = f.double().requires_grad_(False)
    for parameter in f.parameters():
        parameter.copy_(torch.randn_like(parameter))
    x = torch.randn(2, 7, 10, dtype=torch.float64, requires_grad=True)
    expected = gradients(f(x) * d.scale + d.shift, d, x)
    for gradient, wanted in zip(gradients(d(f, x), d, x), expected, strict=True):
        assert torch.allclose(gradient, wanted, atol=1e-10, rtol=0)


@pytest.mark.parametrize("smallest", [0.0, 0.9 * LEAST, 1.1 * LEAST])
def test_where_a_scale_is_near_zero_what_it_scales_is_kept(smallest):
    torch.manual_seed(0)
    d = ScaleShift(Site("fc1", "fc1", "", 6, 10, 0), "zero")
    d.scale.data[3] = smallest
    f = nn.Linear(6, 10).requires_grad_(False)
    x = torch.randn(2, 7, 6, requires_grad=True)
    y = d(f, x)
    assert from_y(y) == (smallest > LEAST)
    expected = gradients(f(x) * d.scale + d.shift, d, x)
    for gradient, wanted in zip(gradients(y, d, x), expected, strict=True):
        assert torch.allclose(gradient, wanted, atol=1e-5, rtol=0)


def test_a_large_shift_counts_as_well():
    d = ScaleShift(Site("fc1", "fc1", "", 6, 10, 0), "zero")
    f = nn.Linear(6, 10)
    x = torch.randn(2, 7, 6)
    d.shift.data[3] = 6.9
    assert from_y(d(f, x))
    d.shift.data[3] = 7.1
    assert not from_y(d(f, x))


def test_a_step_keeps_neither_the_norm_nor_what_is_scaled_before_the_activation():
    kept = []

    def keep(tensor):
        kept.append(tensor)
        return tensor

    x = torch.randn(2, 7, 6, requires_grad=True)
    norm = ScaleShift(Site("norm", "norm", "", 6, 6), "random")
    fc1 = ScaleShift(Site("fc1", "fc1", "", 6, 10, 0), "random")
    f = nn.Linear(6, 10).requires_grad_(False)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        normed = norm(nn.LayerNorm(6), x)
        h = fc1(f, normed)
        nn.functional.gelu(h)
    per_token = {t.untyped_storage().data_ptr() for t in kept if t.numel() >= 2 * 7 * 6}
    own = {x.data_ptr(), h.data_ptr(), f.weight.data_ptr()}
    assert per_token <= own


def test_scales_take_no_weight_decay(tiny):
    adapter = create(SSF, SSF.config(), tiny, 5, seed=0)
    assert [p is adapter.head.weight for p in by_decay(adapter)[0]] == [True]


@pytest.mark.parametrize(
    "shape", [{}, {"no_embed_class": True, "reg_tokens": 2}, {"reg_tokens": 2}], ids=str
)
def test_without_a_bias_at_the_patches_the_shift_folds_into_the_position_embedding(shape):
    backbone = random_vit(pre_norm=True, **shape)
    assert backbone.model.patch_embed.proj.bias is None
    adapter = disturbed(new("ssf", backbone))
    before = backbone.live_fingerprint()
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(images())
        merged = merge(backbone, adapter).eval()(images())
    assert (attached - merged).abs().max() <= 1e-5 * attached.abs().max()
    assert backbone.live_fingerprint() == before


def test_without_bias_and_position_embedding_the_merge_is_refused_by_name():
    backbone = random_vit(pre_norm=True, pos_embed="none")
    with pytest.raises(CannotMerge, match="patch has no bias"):
        merge(backbone, disturbed(new("ssf", backbone)))


def test_a_norm_inside_the_patch_embedding_is_refused():
    backbone = random_vit(embed_norm_layer=nn.LayerNorm)
    with pytest.raises(CannotMerge, match="norm inside the patch embedding"):
        merge(backbone, disturbed(new("ssf", backbone)))


def test_bad_input_gets_a_sentence():
    with pytest.raises(BadValue, match="targets takes some of patch, norm1"):
        SSF.config({"targets": ("fc3",)})
    with pytest.raises(BadValue, match="start takes one of random, zero"):
        SSF.config({"start": "warm"})
