from math import sqrt

import pytest
import torch
from small import away, by_decay, disturbed, images, new
from torch import nn

from peft_demo.adapters import attach, create, merge
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.hta import HTA, HTAAdapter
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

LORA = find_method("hta")
ADAPTER = find_method("hta_adapter")
SHAPES = [(8, 8), (6, 10), (10, 6)]


def delta(d_in=8, d_out=8, form=HTA, **knobs):
    method = LORA if form is HTA else ADAPTER
    return form(Site("blocks.0.fc2", "fc2", "", d_in, d_out, 0), method.config(knobs)).double()


def dense(d, d_in, d_out, normalise=False) -> torch.Tensor:
    """T [D_in D_out] as printed, every matrix written out."""
    H_left, H_right = (
        torch.eye(len(v), dtype=torch.float64)
        - (2 / (v @ v) if normalise else 1) * v[:, None] * v[None, :]
        for v in (d.v_left, d.v_right)
    )
    D = torch.zeros(d_in, d_out, dtype=torch.float64)
    for i, entry in enumerate(d.diagonal):
        D[i, i] = entry
    return H_left @ D @ H_right + d.down.T @ d.up.T


@torch.no_grad()
@pytest.mark.parametrize("normalise", [False, True], ids=["printed", "normalised"])
@pytest.mark.parametrize("rank", [0, 1, 3])
@pytest.mark.parametrize(("d_in", "d_out"), SHAPES)
def test_it_is_the_papers_formula(d_in, d_out, rank, normalise):
    d = away(delta(d_in, d_out, rank=rank, normalise=normalise))
    f = nn.Linear(d_in, d_out).double()
    X = torch.randn(2, 7, d_in, dtype=torch.float64)
    assert torch.allclose(d(f, X), f(X) + X @ dense(d, d_in, d_out, normalise), atol=1e-11)


@torch.no_grad()
def test_the_adapter_form_acts_on_the_output_and_keeps_it():
    d = away(delta(10, 6, HTAAdapter))
    f = nn.Linear(10, 6).double()
    X = torch.randn(2, 7, 10, dtype=torch.float64)
    assert torch.allclose(d(f, X), f(X) @ (torch.eye(6) + dense(d, 6, 6)), atol=1e-12)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    sizes = {rank: LORA.count(vit_b, LORA.config({"rank": rank})) for rank in (0, 1, 2, 4)}
    assert sizes == {0: 110_592, 1: 184_320, 2: 258_048, 4: 405_504}
    assert LORA.count(vit_b, LORA.config({"targets": "q,v"})) == 92_160
    assert LORA.count(vit_b, LORA.config({"targets": "q,v,fc1,fc2"})) == 294_912
    assert ADAPTER.count(vit_b, ADAPTER.config()) == 46_080
    assert LORA.config().rank == ADAPTER.config().rank == 1


@torch.no_grad()
def test_both_factors_start_as_true_reflections():
    d = delta(normalise=False)
    assert not d.diagonal.any() and not d.up.any() and 0 < d.down.abs().max() <= sqrt(1 / 8)
    for v in (d.v_left, d.v_right):
        H = torch.eye(8) - v[:, None] * v[None, :]
        assert torch.allclose(v.norm(), torch.tensor(2.0).sqrt().double(), atol=1e-6)
        assert torch.allclose(H @ H, torch.eye(8).double(), atol=1e-6) and torch.linalg.det(H) < 0


@torch.no_grad()
@pytest.mark.parametrize("form", [HTA, HTAAdapter])
@pytest.mark.parametrize("normalise", [False, True])
def test_it_starts_as_the_frozen_map_exactly(form, normalise):
    f = nn.Linear(8, 8).double()
    X = torch.randn(2, 7, 8, dtype=torch.float64)
    assert torch.equal(delta(form=form, normalise=normalise)(f, X), f(X))


def gradients(d):
    f = nn.Linear(8, 8).double()
    X = torch.randn(2, 7, 8, dtype=torch.float64)
    d.zero_grad()
    (d(f, X) * torch.randn(2, 7, 8)).sum().backward()
    return {name: bool(p.grad.all()) for name, p in d.named_parameters()}


@pytest.mark.parametrize("normalise", [False, True])
def test_the_reflections_learn_once_the_diagonal_has_moved(normalise):
    torch.manual_seed(0)
    d = delta(normalise=normalise)
    first = gradients(d)
    assert (
        first["diagonal"]
        and first["up"]
        and not first["v_left"]
        and not first["v_right"]
        and not first["down"]
    )
    d.diagonal.data += torch.randn(8)
    assert gradients(d)["v_left"] and gradients(d)["v_right"]


def test_a_vector_of_zeros_would_be_dead_for_ever():
    d = away(delta())
    d.v_left.data.zero_()
    assert not gradients(d)["v_left"], "this is why v starts at random and not at zero"


@torch.no_grad()
def test_normalised_it_does_not_depend_on_the_length_of_v():
    d = away(delta(normalise=True))
    f = nn.Linear(8, 8).double()
    X = torch.randn(7, 8, dtype=torch.float64)
    before = d(f, X)
    d.v_left *= 3
    assert torch.allclose(d(f, X), before, atol=1e-12)
    d.v_left.zero_()
    assert d(f, X).isfinite().all()


def test_dropout_acts_on_the_update_in_training_only():
    d = away(delta(dropout=0.5))
    X = torch.randn(2, 7, 8, dtype=torch.float64)
    f = nn.Linear(8, 8).double()
    assert not torch.equal(d(f, X), d(f, X)) and torch.equal(d.eval()(f, X), d(f, X))


@pytest.mark.parametrize(("name", "targets"), [("hta", "fc1,fc2"), ("hta_adapter", "proj,fc2")])
@pytest.mark.parametrize("normalise", [False, True])
def test_it_merges_at_every_target(name, targets, normalise, tiny):
    adapter = disturbed(new(name, tiny, targets=targets.split(","), normalise=normalise))
    with torch.no_grad():
        attached = attach(tiny, adapter).eval()(images())
        merged = merge(tiny, adapter).eval()(images())
    assert (attached - merged).abs().max() <= 1e-5 * attached.abs().max()


def test_the_low_rank_product_alone_takes_weight_decay(tiny):
    adapter = create(LORA, LORA.config(), tiny, 5, seed=0)
    decayed = {id(p) for p in by_decay(adapter)[0]}
    expected = {id(t) for d in adapter.by_site().values() for t in (d.down, d.up)}
    assert decayed == {id(adapter.head.weight)} | expected


@pytest.mark.parametrize("method", [LORA, ADAPTER], ids=lambda m: m.name)
def test_a_rank_larger_than_the_width_gets_a_sentence(method, tiny):
    with pytest.raises(BadValue, match=r"rank 49 is larger than the width 48 of blocks\.0\."):
        create(method, method.config({"rank": 49}), tiny, 5, seed=0)
