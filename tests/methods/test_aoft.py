import pytest
import torch
from small import by_decay, disturbed, images, new
from torch import nn

from peft_demo.adapters import attach, create, merge
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.aoft import FLOOR, AOFTAdapter, AOFTLoRA, approximately_orthogonal
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

LORA = find_method("aoft_lora")
ADAPTER = find_method("aoft_adapter")
RANK = 4
forms = pytest.mark.parametrize("form", [AOFTLoRA, AOFTAdapter])
scales = pytest.mark.parametrize("scale", [False, True], ids=["plain", "λ"])
starts = pytest.mark.parametrize("start", ["orthogonal", "literal"])


def delta(d_in=8, d_out=8, form=AOFTLoRA, **knobs):
    method = LORA if form is AOFTLoRA else ADAPTER
    return form(
        Site("blocks.0.fc2", "fc2", "", d_in, d_out, 0), method.config({"rank": RANK} | knobs)
    ).double()


def away(module):
    torch.manual_seed(0)
    for p in module.parameters():
        p.data = 0.5 * torch.randn_like(p)
    return module


def whole(q) -> torch.Tensor:
    """Q [D D] as printed, entry by entry."""
    D = len(q)
    Q = torch.zeros(D, D, dtype=torch.float64)
    for i in range(D):
        for j in range(D):
            if i == 0 or j == 0:
                Q[i, j] = q[0] if i == j else (-q[j] if i == 0 else q[i])
            else:
                Q[i, j] = float(i == j) - q[i] * q[j] / (1 + q[0])
    return Q


def product(d, d_in, d_out) -> torch.Tensor:
    """T [D_in D_out] written out; without λ and from the orthogonal start E Eᵀ is taken away, E =
    AO(0)."""
    lam = torch.ones(RANK).double() if d.scale is None else d.scale
    T = whole(d.q_down)[:, :RANK] @ torch.diag(lam) @ whole(d.q_up)[:, :RANK].T
    if d.centred:
        E = whole(torch.zeros_like(d.q_down))[:, :RANK], whole(torch.zeros_like(d.q_up))[:, :RANK]
        T = T - E[0] @ E[1].T
    return T


@torch.no_grad()
@scales
@starts
@pytest.mark.parametrize(("d_in", "d_out"), [(8, 8), (6, 10), (10, 6)])
def test_it_is_the_papers_formula(d_in, d_out, scale, start):
    d = away(delta(d_in, d_out, scale=scale, start=start))
    assert d.centred == (start == "orthogonal" and not scale)
    f = nn.Linear(d_in, d_out).double()
    X = torch.randn(2, 7, d_in, dtype=torch.float64)
    assert torch.allclose(d(f, X), f(X) + X @ product(d, d_in, d_out), atol=1e-12)


@torch.no_grad()
@scales
def test_the_adapter_form_acts_on_the_output_and_keeps_it(scale):
    d = away(delta(10, 6, AOFTAdapter, scale=scale))
    f = nn.Linear(10, 6).double()
    X = torch.randn(2, 7, 10, dtype=torch.float64)
    assert torch.allclose(d(f, X), f(X) @ (torch.eye(6) + product(d, 6, 6)), atol=1e-12)


def test_its_columns_are_orthogonal_on_the_unit_sphere_and_only_there():
    torch.manual_seed(0)
    q = torch.randn(9, dtype=torch.float64)
    unit = q / q.norm()
    A = approximately_orthogonal(unit, 5)
    assert torch.allclose(A.T @ A, torch.eye(5).double(), atol=1e-12)
    assert torch.allclose(A[:, 0], unit)
    off = approximately_orthogonal(2 * unit, 5)
    assert (off.T @ off - torch.eye(5)).abs().max() > 0.1


def test_the_denominator_is_kept_off_zero():
    q = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    assert torch.allclose(approximately_orthogonal(q, 2)[2, 1], torch.tensor(-1 / FLOOR).double())


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    sizes = [
        method.count(vit_b, method.config({"scale": s}))
        for method in (LORA, ADAPTER)
        for s in (False, True)
    ]
    assert sizes == [36_864, 37_056, 18_432, 18_528]
    assert LORA.config().rank == ADAPTER.config().rank == 8
    assert LORA.count(vit_b, LORA.config({"targets": "q,v,fc1,fc2", "scale": True})) == 129_408


@torch.no_grad()
@forms
@scales
def test_it_starts_as_the_frozen_map_exactly(form, scale):
    f = nn.Linear(8, 8).double()
    X = torch.randn(2, 7, 8, dtype=torch.float64)
    assert torch.equal(delta(form=form, scale=scale)(f, X), f(X))


@torch.no_grad()
@forms
@scales
def test_the_literal_start_does_not_and_says_so(form, scale):
    method = LORA if form is AOFTLoRA else ADAPTER
    assert not method.identity(method.config({"start": "literal", "scale": scale}))
    torch.manual_seed(0)
    f = nn.Linear(8, 8).double()
    X = torch.randn(2, 7, 8, dtype=torch.float64)
    assert (delta(form=form, scale=scale, start="literal")(f, X) - f(X)).abs().max() > 0.1


def test_without_a_scale_the_literal_start_is_the_first_unit_vector_on_both_sides():
    d = delta(start="literal")
    assert (
        d.scale is None
        and torch.equal(d.q_down, d.q_up)
        and torch.equal(d.q_up, torch.eye(8).double()[0])
    )


@pytest.mark.parametrize("rank", [1, 4, 8])
def test_without_a_scale_one_side_starts_orthogonal_and_the_other_at_nothing(rank):
    for seed in range(8):
        torch.manual_seed(seed)
        d = delta(rank=rank)
        A = approximately_orthogonal(d.q_down, rank)
        assert torch.allclose(A.T @ A, torch.eye(rank).double(), atol=1e-6) and d.q_down[0] >= 0
        assert torch.equal(A[:, 1:], torch.eye(8, rank).double()[:, 1:]) and not d.q_up.any()


def test_with_a_scale_they_start_as_random_unit_vectors_on_the_upper_half():
    for seed in range(8):
        torch.manual_seed(seed)
        d = delta(scale=True)
        assert not d.scale.any() and not torch.equal(d.q_down, d.q_up)
        assert all(abs(q.norm() - 1) < 1e-6 and q[0] >= 0 for q in (d.q_down, d.q_up))


def gradients(d):
    torch.manual_seed(1)
    f = nn.Linear(8, 8).double()
    X = torch.randn(2, 7, 8, dtype=torch.float64)
    d.zero_grad()
    (d(f, X) * torch.randn(2, 7, 8)).sum().backward()
    return {name: bool(p.grad.all()) for name, p in d.named_parameters()}


def test_without_a_scale_every_entry_of_both_vectors_is_live_at_once_or_after_a_step():
    assert all(gradients(delta(start="literal")).values())
    d = delta()
    assert gradients(d) == {"q_down": False, "q_up": True}
    assert d.q_down.grad[1:RANK].all()
    d.q_up.data += torch.randn(8)
    assert all(gradients(d).values())


def test_with_a_scale_the_vectors_learn_once_it_has_moved():
    d = delta(scale=True)
    assert gradients(d) == {"q_down": False, "q_up": False, "scale": True}
    d.scale.data += torch.randn(RANK)
    assert all(gradients(d).values())


def test_the_corner_gets_its_gradient():
    q = torch.tensor([0.6, 0.3, -0.2, 0.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda q: approximately_orthogonal(q, 3), q)


def test_the_frozen_bias_stays():
    f = nn.Linear(8, 8).double()
    assert torch.allclose(away(delta())(f, torch.zeros(1, 8).double()), f.bias)


@pytest.mark.parametrize(
    ("name", "targets"), [("aoft_lora", "fc1,fc2"), ("aoft_adapter", "proj,fc2")]
)
@scales
@starts
def test_it_merges_with_every_knob(name, targets, scale, start, tiny):
    adapter = disturbed(new(name, tiny, targets=targets.split(","), scale=scale, start=start))
    with torch.no_grad():
        attached = attach(tiny, adapter).eval()(images())
        merged = merge(tiny, adapter).eval()(images())
    assert (attached - merged).abs().max() <= 1e-5 * attached.abs().max()


def test_no_vector_takes_weight_decay(tiny):
    adapter = create(LORA, LORA.config({"scale": True}), tiny, 5, seed=0)
    assert [p is adapter.head.weight for p in by_decay(adapter)[0]] == [True]


@pytest.mark.parametrize("method", [LORA, ADAPTER], ids=lambda m: m.name)
def test_a_rank_larger_than_the_width_gets_a_sentence(method, tiny):
    with pytest.raises(BadValue, match=r"rank 49 is larger than the width 48 of blocks\.0\."):
        create(method, method.config({"rank": 49}), tiny, 5, seed=0)
