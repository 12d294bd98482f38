import pytest
import torch
from small import random_vit
from torch import nn

from peft_demo.adapters import create
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

CONVPASS = find_method("convpass")
ARCHS = {
    "class token": {},
    "registers": {"reg_tokens": 4},
    "none": {"class_token": False, "global_pool": "avg"},
}


def new(backbone, away=0.0, **knobs):
    adapter = create(CONVPASS, CONVPASS.config({"hidden": 5} | knobs), backbone, 5, seed=0).eval()
    torch.manual_seed(1)
    for p in adapter.parameters():
        p.data += away * torch.randn_like(p)
    return adapter.double().by_site()


def act(z):
    return z / (1 + torch.exp(-1.702 * z))


def neighbours(z, d, prefix, rows, columns):
    """The 3×3 convolution token by token: a prefix token sees itself, a patch its neighbours in the
    image."""
    out = torch.empty_like(z)
    out[:, :prefix] = z[:, :prefix] @ d.conv[:, :, 1, 1].T + d.conv_bias
    for r in range(rows):
        for c in range(columns):
            total = d.conv_bias.expand(len(z), -1)
            for i in (-1, 0, 1):
                for j in (-1, 0, 1):
                    if 0 <= r + i < rows and 0 <= c + j < columns:
                        total = (
                            total
                            + z[:, prefix + (r + i) * columns + c + j]
                            @ d.conv[:, :, i + 1, j + 1].T
                        )
            out[:, prefix + r * columns + c] = total
    return out


class Branch(nn.Module):
    """A frozen branch of its own, with the parts a bypass reads."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(48)
        self.map = nn.Linear(48, 48)
        self.scale = nn.Hardtanh(-0.5, 0.5)
        self.drop = nn.Identity()

    def forward(self, x):
        return self.drop(self.scale(self.map(self.norm(x))))


@pytest.mark.parametrize("prefix", ARCHS)
def test_it_is_the_papers_formula(prefix):
    backbone = random_vit(depth=1, **ARCHS[prefix], img_size=(32, 48))
    k = backbone.anatomy.prefix
    (rows, columns) = backbone.anatomy.grid
    assert (rows, columns) == (4, 6), "rows and columns differ, or a transposed grid would pass"
    d = new(backbone, away=1.0, scale=0.3)["blocks.0.mlp"]
    f = Branch().double()
    x = torch.randn(2, k + 24, 48).double()
    with torch.no_grad():
        z = act(f.norm(x) @ d.down.T + d.down_bias)
        z = act(neighbours(z, d, k, rows, columns))
        assert torch.allclose(d(f, x), f(x) + 0.3 * (z @ d.up.T + d.up_bias), atol=1e-10)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert CONVPASS.count(vit_b, CONVPASS.config()) == 327_552


def test_the_kernel_starts_as_the_identity_whatever_the_width(tiny):
    for d in new(tiny, hidden=5).values():
        z = torch.randn(2, 17, 5, dtype=torch.float64)
        assert torch.equal(d.convolved(z), z)


def test_the_kernel_may_start_at_random(tiny):
    for d in new(tiny, start="xavier").values():
        assert 0 < d.conv.abs().max() <= (6 / (2 * 5 * 9)) ** 0.5 and d.conv[:, :, 0, 0].any()


def test_up_and_biases_start_at_zero_and_up_gets_the_first_gradient(tiny):
    d = new(tiny, dropout=0.0)["blocks.0.attn"]
    assert {n for n, p in d.named_parameters() if not p.any()} == {
        "up",
        "down_bias",
        "conv_bias",
        "up_bias",
    }
    d(Branch().double(), torch.randn(2, 17, 48).double()).sum().backward()
    assert {n for n, p in d.named_parameters() if p.grad.any()} == {"up", "up_bias"}
