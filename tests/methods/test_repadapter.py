import pytest
import torch
from small import away
from torch import nn

from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.repadapter import Reparameterised
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

SITE = Site("blocks.0.fc1", "fc1", "blocks.0.mlp.map.fc1", 12, 20, 0)
REPADAPTER = find_method("repadapter")


def delta(**knobs):
    return Reparameterised(SITE, REPADAPTER.config({"hidden": 6} | knobs)).double().eval()


def dense(d, G):
    """B [D H] with zeros where another group's numbers would stand, entry by entry."""
    D = d.down.shape[1]
    H = d.down.shape[0]
    B = torch.zeros(D, H, dtype=torch.float64)
    for i in range(D):
        group = i // (D // G)
        for j in range(H // G):
            B[i, group * (H // G) + j] = d.up[i, j]
    return B


@pytest.mark.parametrize("G", [1, 2])
def test_it_is_the_papers_formula(G):
    d = away(delta(groups=G, scale=0.3))
    f = nn.Linear(12, 20).double()
    x = torch.randn(2, 7, 12).double()
    z = x @ d.down.T + d.down_bias
    assert torch.allclose(d(f, x), f(x + 0.3 * (z @ dense(d, G).T + d.up_bias)), atol=1e-12)


def test_it_is_the_grouped_convolution_of_the_authors():
    d = away(delta(scale=1.0))
    x = torch.randn(2, 7, 12).double()
    z = torch.conv1d(x.mT, d.down[:, :, None], d.down_bias)
    y = torch.conv1d(z, d.up[:, :, None], d.up_bias, groups=2)
    assert torch.allclose(d(lambda h: h, x), x + y.mT, atol=1e-12)


def test_it_folds_by_the_papers_closed_form():
    from peft_demo.adapters.merge import probe

    d = away(delta(scale=0.3))
    f = nn.Linear(12, 20).double()
    B = dense(d, 2)
    W, b = probe(d, f)
    assert torch.allclose(W, f.weight @ (torch.eye(12).double() + 0.3 * B @ d.down), atol=1e-12)
    assert torch.allclose(b, f.bias + 0.3 * f.weight @ (B @ d.down_bias + d.up_bias), atol=1e-12)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert REPADAPTER.count(vit_b, REPADAPTER.config()) == 239_808
    weights = REPADAPTER.count(vit_b, REPADAPTER.config()) - 24 * (8 + 768)
    assert weights == 221_184, "the paper's 0.22 M"


def test_up_and_biases_start_at_zero_and_down_within_xaviers_bound():
    d = delta()
    assert not d.up.any() and not d.up_bias.any() and not d.down_bias.any()
    assert 0 < d.down.abs().max() <= (6 / (12 + 6)) ** 0.5


def test_up_gets_the_first_gradient():
    d = delta(dropout=0.0)
    x = torch.randn(2, 7, 12).double()
    d(lambda h: h, x).sum().backward()
    assert d.up.grad.any() and d.up_bias.grad.any() and not d.down.grad.any()


def test_a_bottleneck_that_the_groups_do_not_divide_is_a_sentence():
    with pytest.raises(
        BadValue, match=r"hidden 7 cannot be cut into 2 groups\. Take a multiple of 2"
    ):
        delta(hidden=7)
