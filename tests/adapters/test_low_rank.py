"""Products at q, k and v lie side by side on the fused linear, and come apart again."""

import torch
from small import disturbed, new

from peft_demo.adapters.low_rank import added, apart, joined
from peft_demo.vit import LowRank


def test_what_was_joined_comes_apart_again(tiny):
    adapter = disturbed(new("lora", tiny, targets=("q", "v"), rank=3, bias=True))
    parts = list(added(tiny, adapter))
    site = tiny.anatomy.sites["blocks.0.qkv"]
    whole = joined(tiny, parts)[site.path]
    own = {s.role: product for s, product in parts if s.block == 0}
    again = apart(site, whole)
    assert again.keys() == own.keys() == {"q", "v"}
    for role, product in own.items():
        assert torch.equal(again[role].down, product.down)
        assert torch.equal(again[role].up, product.up)
        assert torch.equal(again[role].shift, product.shift)


def test_a_dense_product_keeps_its_rank_at_each(tiny):
    site = tiny.anatomy.sites["blocks.0.qkv"]
    product = LowRank(torch.randn(2, site.d_in), torch.randn(site.d_out, 2))
    parts = apart(site, product)
    up = torch.cat([part.up for part in parts.values()])
    assert torch.equal(up, product.up)
    assert all(torch.equal(part.down, product.down) for part in parts.values())


def test_a_product_of_zeros_is_all_three_s(tiny):
    site = tiny.anatomy.sites["blocks.0.qkv"]
    nothing = LowRank(torch.randn(2, site.d_in), torch.zeros(site.d_out, 2))
    assert {role: len(part.down) for role, part in apart(site, nothing).items()} == {
        "q": 2,
        "k": 2,
        "v": 2,
    }
