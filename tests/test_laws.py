"""The laws of the house, over every discovered method: a new file in `peft_demo/methods` is tested by being there."""

import shutil
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from small import SEED, card, disturbed, images, labels, new, random_vit, trained
from torch import nn
from torch.nn import functional as F

from peft_demo.adapters import attach, dump, load, merge
from peft_demo.adapters.merge import probe
from peft_demo.contracts.errors import CannotMerge
from peft_demo.contracts.knobs import knobs
from peft_demo.methods import methods

METHODS = sorted(methods())

each_method = pytest.mark.parametrize("name", METHODS)


@each_method
def test_1_attaching_and_training_leave_the_backbone_bit_identical(name, tiny):
    """Law 1: attaching an adapter, and training it, leaves the backbone's output and tensors bit-identical."""
    x = images()
    before = tiny.live_fingerprint()
    with torch.no_grad():
        features = tiny.model(x)
    trained(name, tiny)
    assert tiny.live_fingerprint() == before
    with torch.no_grad():
        assert torch.equal(tiny.model(x), features)


@each_method
def test_2_a_method_that_says_it_starts_as_identity_does(name, tiny):
    """Law 2: with the head taken away, a new adapter gives the frozen features exactly when its record says so."""
    adapter = new(name, tiny).eval()
    model = attach(tiny, adapter)
    with torch.no_grad():
        adapted = model.forward_head(model.forward_features(images()), pre_logits=True)
        moved = (adapted - tiny.model(images())).abs().max().item()
    assert (moved < 1e-5) == adapter.method.identity(adapter.config), moved


@each_method
def test_3_every_adapter_tensor_gets_a_gradient_and_no_frozen_one_does(name, tiny):
    """Law 3: within three backward passes every tensor of the adapter has had a gradient; frozen tensors never do."""
    torch.manual_seed(SEED)
    adapter = new(name, tiny)
    model = attach(tiny, adapter).train()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.5)
    reached = set()
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(images()), labels()).backward()
        reached |= {
            n
            for n, p in adapter.named_parameters()
            if p.grad is not None and p.grad.abs().max() > 0
        }
        optimizer.step()
    assert reached == {n for n, _ in adapter.named_parameters()}
    assert all(p.grad is None and not p.requires_grad for p in tiny.model.parameters())


@each_method
def test_4_a_saved_adapter_loads_back_with_bit_equal_logits(name, tiny, tmp_path):
    """Law 4: save → load → bit-equal logits."""
    adapter = trained(name, tiny)
    file = tmp_path / "a.safetensors"
    file.write_bytes(dump(adapter, card(adapter, tiny)))
    again, _ = load(file, tiny)
    with torch.no_grad():
        assert torch.equal(
            attach(tiny, adapter).eval()(images()), attach(tiny, again).eval()(images())
        )


@each_method
@pytest.mark.parametrize("double", [True, False], ids=["float64", "float32"])
def test_5_merged_equals_attached_and_merges_precisely_when_the_record_says_so(name, double):
    """Law 5: merged equals attached within 1e-5 in float64 and within 1e-5 · max|logit| in float32; else refuses."""
    backbone = random_vit()
    adapter = disturbed(new(name, backbone))
    x = images()
    if double:
        adapter = adapter.double()
        x = x.double()
        backbone = replace(backbone, model=deepcopy(backbone.model).double())
    if not adapter.method.merges(adapter.config):
        with pytest.raises(CannotMerge):
            merge(backbone, adapter)
        return
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(x)
        merged = merge(backbone, adapter).eval()(x)
    assert (attached - merged).abs().max() <= 1e-5 * (
        1.0 if double else attached.abs().max().clamp(min=1.0)
    )


@each_method
def test_5_a_low_rank_form_is_what_the_delta_does(name):
    """Law 5, closed form: a delta that gives a product and a shift adds just these to its linear, in float64."""
    backbone = random_vit()
    adapter = disturbed(new(name, backbone)).double()
    for site, delta in adapter.by_site().items():
        d_in = backbone.anatomy.sites[site].d_in
        d_out = backbone.anatomy.sites[site].d_out
        f = nn.Linear(d_in, d_out, dtype=torch.float64)
        x = torch.randn(2, 17, d_in, dtype=torch.float64)
        if added := delta.low_rank(f):
            shift = 0.0 if added.shift is None else added.shift
            assert torch.allclose(
                f(x) + x @ added.down.T @ added.up.T + shift, delta(f, x), atol=1e-12
            )


@each_method
def test_5_a_merged_form_is_what_the_probe_finds(name):
    """Law 5, closed form: W' and b' that a delta gives are those the probe finds, in float64."""
    backbone = random_vit()
    adapter = disturbed(new(name, backbone)).double()
    for site, delta in adapter.by_site().items():
        d_in = backbone.anatomy.sites[site].d_in
        d_out = backbone.anatomy.sites[site].d_out
        f = nn.Linear(d_in, d_out, dtype=torch.float64)
        with torch.no_grad():
            closed = delta.merged(f)
        if closed is not None:
            assert all(
                torch.allclose(*pair, atol=1e-12)
                for pair in zip(closed, probe(delta, f), strict=True)
            ), site


@each_method
def test_6_the_file_holds_the_adapter_and_head_and_nothing_else(name, tiny, tmp_path):
    """Law 6: no tensor of the backbone is in the file but those the adapter replaces, which the card lists."""
    from safetensors.torch import load as parse

    adapter = new(name, tiny)
    held = parse(dump(adapter, card(adapter, tiny)))
    assert sum(t.nbytes for t in held.values()) == stored(adapter)
    frozen = {
        tuple(t.flatten().tolist()) for t in tiny.model.state_dict().values() if t.numel() > 1
    }
    copies = {
        n for n, t in held.items() if tuple(t.flatten().tolist()) in frozen and t.abs().max() > 0
    }
    assert {n.removeprefix("tensors.").replace("/", ".") for n in copies} <= set(adapter.replaced())


def stored(adapter) -> int:
    """Bytes of an adapter's tensors: 4 a number, or the bits its delta declares and 8 for mean and deviation."""
    few = {
        id(getattr(m, n)): m.bits
        for m in adapter.modules()
        if getattr(m, "bits", 32) < 32
        for n in m.matrices
    }
    state = adapter.state().values()
    return sum(t.numel() * few[id(t)] // 8 + 8 if id(t) in few else 4 * t.numel() for t in state)


@each_method
def test_7_it_compiles_in_one_full_graph(name, tiny):
    """Law 7: the attached model compiles as one full graph and answers the same."""
    torch._dynamo.reset()
    model = attach(tiny, disturbed(new(name, tiny))).eval()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(compiled(images()), model(images()), atol=1e-5)


@pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="Inductor needs a C++ compiler"
)
def test_7_an_attached_model_compiles_with_inductor(tiny):
    """Law 7, beside it: one adapted model through the real compiler."""
    torch._dynamo.reset()
    model = attach(tiny, disturbed(new("lora", tiny))).eval()
    with torch.no_grad():
        assert torch.allclose(
            torch.compile(model, fullgraph=True)(images()), model(images()), atol=1e-4
        )


@each_method
def test_8_the_trainable_count_equals_the_closed_form(name, tiny):
    """Law 8: the number of trainable parameters is the record's closed form."""
    adapter = new(name, tiny)
    assert adapter.trainable == adapter.method.count(tiny.anatomy, adapter.config)
    learned = sum(p.numel() for p in adapter.parameters() if p.requires_grad)
    assert learned == adapter.trainable + adapter.head_parameters


@each_method
def test_9_same_seed_same_bits(name, tiny):
    """Law 9: the same seed gives the same bits (one machine, one thread count)."""
    first, second = (trained(name, tiny).state() for _ in range(2))
    assert all(torch.equal(first[n], second[n]) for n in first)


def ends():
    return [
        (name, k, end) for name in METHODS for k in knobs(methods()[name].Config) for end in (0, 1)
    ]


@pytest.mark.parametrize(("name", "knob", "end"), ends(), ids=lambda v: getattr(v, "name", str(v)))
def test_10_both_ends_of_every_knob_build_and_run(name, knob, end):
    """Law 10: a method builds and runs with each knob at either end."""
    backbone = random_vit(depth=1, width=144 if knob.name == "rank" else 48)
    adapter = trained(name, backbone, steps=1, lr=1e-4, **{knob.name: knob.ends()[end]})
    with torch.no_grad():
        assert torch.isfinite(attach(backbone, adapter).eval()(images())).all()


@each_method
def test_11_two_models_attached_at_once_do_not_disturb_each_other(name, tiny):
    """Law 11: a second adapter, attached and trained, changes nothing in the answers of the first."""
    first = disturbed(new(name, tiny))
    model = attach(tiny, first).eval()
    with torch.no_grad():
        before = model(images())
    for other in METHODS:
        attach(tiny, disturbed(new(other, tiny), seed=2)).train()(images())
    trained(name, tiny, seed=SEED + 2)
    with torch.no_grad():
        assert torch.equal(model(images()), before)
