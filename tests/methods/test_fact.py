import pytest
import torch
from small import random_vit
from torch import nn

from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

BOTH = pytest.mark.parametrize("name", ["fact_tt", "fact_tk"])
SITES = {"qkv": (1, 3), "proj": (1, 1), "fc1": (1, 4), "fc2": (4, 1)}
"""D×D slices of each linear: by input, by output."""


def parts(name, tiny, away=0.0, **knobs):
    method = find_method(name)
    torch.manual_seed(0)
    deltas = method.build(tiny.anatomy, method.config({"rank": 6, "scale": 0.3} | knobs)).deltas
    torch.manual_seed(1)
    for p in {id(p): p for d in deltas.values() for p in d.parameters()}.values():
        p.data = p.data.double() + away * torch.randn(p.shape, dtype=torch.float64)
    return {site: d.eval() for site, d in deltas.items()}


def core(name, delta, j, slot, inputs, R=6):
    """Σ_j [R_out R_in] of a site's j-th slice, which is slice `slot` of the whole backbone; in
    plain loops."""
    if name == "fact_tt":
        rows = slice(0, R) if inputs > 1 else slice(j * R, (j + 1) * R)
        columns = slice(j * R, (j + 1) * R) if inputs > 1 else slice(0, R)
        return delta.core[rows, columns]
    return sum(delta.mix[t, slot] * delta.core[:, :, t].T for t in range(R))


def increment(name, delta, role, first, D=48):
    """s · V Σ_j U written into its place of ΔW, slice by slice."""
    inputs, outputs = SITES[role]
    W = torch.zeros(outputs * D, inputs * D, dtype=torch.float64)
    for j in range(inputs * outputs):
        slice_ = 0.3 * delta.up @ core(name, delta, j, first + j, inputs) @ delta.down
        here = slice(j * D, (j + 1) * D)
        if inputs > 1:
            W[:, here] = slice_
        else:
            W[here, :] = slice_
    return W


@BOTH
@pytest.mark.parametrize(("role", "first"), [("qkv", 12), ("proj", 15), ("fc1", 16), ("fc2", 20)])
def test_it_is_the_papers_formula(name, role, first, tiny):
    delta = parts(name, tiny, away=1.0)[f"blocks.1.{role}"]
    inputs, outputs = SITES[role]
    f = nn.Linear(inputs * 48, outputs * 48).double()
    x = torch.randn(2, 5, inputs * 48, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(
            delta(f, x) - f(x), x @ increment(name, delta, role, first).T, atol=1e-9
        )


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("fact_tt", {16: 61_440, 8: 21_504, 4: 8_448}),
        ("fact_tk", {32: 86_528, 16: 30_976, 8: 13_952}),
    ],
)
def test_counts_on_vit_b(name, counts):
    method = find_method(name)
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert {R: method.count(vit_b, method.config({"rank": R})) for R in counts} == counts


def test_defaults_are_the_ranks_of_the_table():
    assert (find_method("fact_tt").config().rank, find_method("fact_tk").config().rank) == (16, 32)


@BOTH
def test_all_layers_share_the_outer_factors(name, tiny):
    shared = ("down", "up") if name == "fact_tt" else ("down", "up", "core", "mix")
    deltas = parts(name, tiny).values()
    assert all(len({id(getattr(d, p)) for d in deltas}) == 1 for p in shared)


def test_every_slice_has_its_own_column_of_p(tiny):
    deltas = parts("fact_tk", tiny).values()
    columns = [d.first + i for d in deltas for i in range(d.n * d.m)]
    assert columns == list(range(24)) and next(iter(deltas)).mix.shape == (6, 24)


@BOTH
def test_v_starts_at_zero_and_nothing_else_does(name, tiny):
    delta = parts(name, tiny)["blocks.0.fc1"]
    zero = {n for n, p in delta.named_parameters() if not p.any()}
    assert zero == {"up"}


@BOTH
def test_v_gets_the_first_gradient(name, tiny):
    delta = parts(name, tiny)["blocks.0.proj"]
    f = nn.Linear(48, 48).double()
    delta(f, torch.randn(2, 5, 48, dtype=torch.float64)).sum().backward()
    assert {n for n, p in delta.named_parameters() if p.grad.any()} == {"up"}


@BOTH
def test_a_rank_beyond_the_width_is_a_sentence(name, tiny):
    with pytest.raises(BadValue, match="rank 49 is larger than the width 48"):
        parts(name, tiny, rank=49)


@BOTH
def test_an_mlp_that_cannot_be_cut_is_refused_by_name(name):
    with pytest.raises(
        BadValue, match=r"blocks.0.fc1 maps 48 to 120, which cannot be cut into slices of 48×48"
    ):
        parts(name, random_vit(mlp_ratio=2.5))
