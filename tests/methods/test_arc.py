from math import sqrt

import pytest
import torch
from small import by_decay
from torch import nn

from peft_demo.adapters import create
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.arc import Recomposed
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

ARC = find_method("arc")
ARC_ATT = find_method("arc_att")
both = pytest.mark.parametrize("method", [ARC, ARC_ATT], ids=lambda m: m.name)


def new(method, tiny, **knobs):
    return create(method, method.config({"rank": 8} | knobs), tiny, 5, seed=0)


def test_it_is_the_papers_formula():
    torch.manual_seed(0)
    P = nn.Parameter(torch.randn(6, 3, dtype=torch.float64))
    d = Recomposed(P, dropout=0.1, zero=True).double().eval()
    f = nn.Linear(6, 18).double()
    d.coefficients.data = torch.randn(3).double()
    d.shift.data = torch.randn(6).double()
    h = torch.randn(2, 7, 6, dtype=torch.float64)
    with torch.no_grad():
        adapted = h @ (torch.eye(6) + P @ torch.diag(d.coefficients) @ P.T) + d.shift
        assert torch.allclose(d(f, h), adapted @ f.weight.T + f.bias, atol=1e-12)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert ARC.count(vit_b, ARC.config()) == 96_432
    assert ARC_ATT.count(vit_b, ARC_ATT.config()) == 48_216


@both
def test_one_projection_serves_every_layer_of_its_role(method, tiny):
    sites = new(method, tiny).by_site()
    roles = {name.rpartition(".")[2] for name in sites}
    assert roles == set(method.sites) and len(sites) == 2 * len(roles)
    shared = {
        role: {id(d.projection) for n, d in sites.items() if n.endswith(role)} for role in roles
    }
    assert all(len(ids) == 1 for ids in shared.values())
    assert len(set.union(*shared.values())) == len(roles)


def test_it_starts_as_the_authors_code_does(tiny):
    sites = new(ARC, tiny).by_site()
    attention = sites["blocks.1.qkv"]
    mlp = sites["blocks.1.fc1"]
    assert not attention.coefficients.any() and not attention.shift.any() and not mlp.shift.any()
    assert 0 < mlp.coefficients.abs().max() <= sqrt(6 / (1 + 8))
    assert 0.9 * sqrt(6 / (48 + 8)) < mlp.projection.abs().max() <= sqrt(6 / (48 + 8))


def test_attention_alone_starts_as_the_frozen_model_and_says_so(tiny):
    assert ARC_ATT.identity(ARC_ATT.config()) and not ARC.identity(ARC.config())
    f = nn.Linear(48, 144)
    x = torch.randn(2, 7, 48)
    for d in new(ARC_ATT, tiny).eval().by_site().values():
        assert torch.equal(d(f, x), f(x))


def test_the_projection_learns_once_the_coefficients_have_moved(tiny):
    d = new(ARC_ATT, tiny, dropout=0.0).by_site()["blocks.0.qkv"]
    f = nn.Linear(48, 144)
    x = torch.randn(2, 7, 48)
    d(f, x).sum().backward()
    assert d.coefficients.grad.all() and d.shift.grad.all() and not d.projection.grad.any()
    d.coefficients.data += 0.1
    d(f, x).sum().backward()
    assert d.projection.grad.all()


@both
def test_the_projection_alone_takes_weight_decay(method, tiny):
    adapter = new(method, tiny)
    decayed = {id(p) for p in by_decay(adapter)[0]}
    assert decayed == {id(adapter.head.weight)} | {
        id(d.projection) for d in adapter.by_site().values()
    }


@both
def test_a_rank_larger_than_the_width_gets_a_sentence(method, tiny):
    with pytest.raises(BadValue, match="rank 49 is larger than the width 48"):
        new(method, tiny, rank=49)
