from math import erf, sqrt

import pytest
import torch
from small import away
from torch import nn

from peft_demo.methods import find_method
from peft_demo.methods.adapter import Bottleneck
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

SITE = Site("blocks.0.mlp", "mlp", "blocks.0.mlp", 12, 12, 0)
ADAPTER = find_method("adapter")


def delta(**knobs):
    return Bottleneck(SITE, ADAPTER.config({"hidden": 5} | knobs)).double().eval()


def gelu(z):
    return z * z.clone().apply_(lambda t: (1 + erf(t / sqrt(2))) / 2)


def test_it_is_the_papers_formula():
    d = away(delta())
    f = nn.Linear(12, 12).double()
    x = torch.randn(2, 7, 12).double()
    with torch.no_grad():
        y = f(x)
        assert torch.allclose(
            d(f, x), y + gelu(y @ d.down.T + d.down_bias) @ d.up.T + d.up_bias, atol=1e-12
        )


@pytest.mark.parametrize(("hidden", "count"), [(8, 156_768), (32, 599_424), (64, 1_189_632)])
def test_counts_on_vit_b(hidden, count):
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert ADAPTER.count(vit_b, ADAPTER.config({"hidden": hidden})) == count
    assert ADAPTER.config().hidden == 8


def test_up_starts_at_zero_and_down_does_not():
    d = delta()
    assert not d.up.any() and 0 < d.down.abs().max() <= sqrt(6 / (12 + 5))


def test_it_is_not_the_dead_start_of_two_zero_projections():
    d = delta(dropout=0.0)
    x = torch.randn(2, 7, 12).double()
    sgd = torch.optim.SGD(d.parameters(), lr=0.1)
    d(lambda x: x, x).square().sum().backward()
    assert d.up.grad.any() and not d.down.grad.any()
    sgd.step()
    d(lambda x: x, x).square().sum().backward()
    assert d.down.grad.any(), "down learns from the second step on"
