"""What stands at a linear: the formulas, their gradients, their starts."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from peft_demo.methods.spt.delta import (
    Bottleneck,
    Config,
    Entries,
    LowRankEntries,
    Places,
    SparseLinear,
)
from peft_demo.vit import Site

SITE = Site("blocks.0.fc1", "fc1", "blocks.0.mlp.map.fc1", 6, 8, 0)
NOWHERE = Places(entries=None, shift=None, whole_bias=False)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def filled(delta: Entries) -> Entries:
    """The delta in float64, each parameter with random numbers of its own."""
    delta = delta.double().eval()
    for i, p in enumerate(delta.parameters()):
        p.data = random(*p.shape, seed=10 + i)
    return delta


def int32(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)


@pytest.mark.parametrize("form", [Entries, LowRankEntries, Bottleneck])
@pytest.mark.parametrize("whole", [True, False])
def test_the_delta_is_the_papers_formula(form, whole):
    places = Places(int32(1, 13, 47), None if whole else int32(0, 7), whole)
    delta = filled(form(SITE, Config(rank=3), places))
    f = nn.Linear(6, 8).double()
    x = random(2, 4, 6)
    W = f.weight.detach().clone()
    b = f.bias.detach().clone()
    for value, (row, column) in zip(delta.entries.detach(), [(0, 1), (2, 1), (7, 5)], strict=True):
        W[row, column] += value
    b[range(8) if whole else [0, 7]] += delta.shift.detach()
    y = x @ W.T + b
    if form is LowRankEntries:
        y = y + x @ (delta.up @ delta.down).T
    if form is Bottleneck:
        y = y + F.gelu(y @ delta.down.T + delta.down_bias) @ delta.up.T + delta.up_bias
    assert torch.allclose(delta(f, x), y, atol=1e-12, rtol=0)


def test_a_linear_without_bias_takes_entries():
    delta = filled(Entries(SITE, Config(), Places(int32(3), None, False)))
    f = nn.Linear(6, 8, bias=False).double()
    x = random(2, 6)
    W = f.weight.detach().clone()
    W[0, 3] += delta.entries.item()
    assert torch.allclose(delta(f, x), x @ W.T, atol=1e-12)


@pytest.mark.parametrize("places", [(13, 19), (1, 13, 47)], ids=["few", "many"])
def test_the_gradient_of_entries_is_the_dense_one_at_their_places(places):
    at = torch.tensor(places)
    x = random(2, 4, 6).requires_grad_()
    W = random(8, 6).requires_grad_()
    b = random(8).requires_grad_()
    values = random(len(places), seed=5).requires_grad_()
    dy = random(2, 4, 8, seed=6)
    dense = F.linear(x, W.flatten().index_add(0, at, values).view(8, 6), b)
    expected = torch.autograd.grad(dense, (x, b, values), dy)
    y = SparseLinear.apply(x, W.detach(), b, at, values)
    gradients = torch.autograd.grad(y, (x, b, values), dy)
    assert torch.equal(y, dense)
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert torch.allclose(gradient, wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize(("places", "numbers"), [((13, 19), 7 * 2), ((1, 13, 47), 7 * 6)])
def test_of_the_inputs_it_keeps_the_columns_that_are_read_where_they_are_few(places, numbers):
    kept = []

    def keep(tensor):
        kept.append(tensor)
        return tensor

    at = torch.tensor(places)
    values = random(len(places), seed=5).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        SparseLinear.apply(random(7, 6), random(8, 6), None, at, values)
    assert kept[0].numel() == kept[0].untyped_storage().nbytes() // 8 == numbers


@pytest.mark.parametrize("form", [LowRankEntries, Bottleneck])
def test_a_module_starts_as_nothing_and_learns(form):
    delta = form(SITE, Config(rank=3), NOWHERE)
    f = nn.Linear(6, 8)
    x = torch.randn(2, 6)
    assert torch.equal(delta(f, x), f(x))
    assert delta.up.abs().max() == 0
    assert delta.down.std() > 0
    delta(f, x).sum().backward()
    assert delta.up.grad.abs().max() > 0
    delta.up.data += 0.1
    delta(f, x).sum().backward()
    assert delta.down.grad.abs().max() > 0
