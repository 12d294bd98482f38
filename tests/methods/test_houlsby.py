import torch
from torch.nn import functional as F

from peft_demo.adapters import attach, create
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

HOULSBY = find_method("houlsby")


def new(backbone, away=0.0, **knobs):
    adapter = create(HOULSBY, HOULSBY.config(knobs), backbone, 5, seed=0).eval()
    torch.manual_seed(1)
    for p in adapter.parameters():
        p.data += away * torch.randn_like(p)
    return adapter


def test_it_is_the_papers_formula_after_both_branches(tiny):
    adapter = new(tiny, away=0.3)
    x = torch.randn(2, 17, 48)

    def adapted(site, y):
        d = adapter.by_site()[site]
        return y + F.gelu(y @ d.down.T + d.down_bias) @ d.up.T + d.up_bias

    frozen = tiny.model.blocks[1]
    block = attach(tiny, adapter).eval().blocks[1]
    with torch.no_grad():
        h = x + adapted("blocks.1.attn", frozen.attn(x))
        assert torch.allclose(block(x), h + adapted("blocks.1.mlp", frozen.mlp(h)), atol=1e-5)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert HOULSBY.count(vit_b, HOULSBY.config()) == 313_536


def test_it_takes_twice_what_the_adapter_after_the_mlp_takes(tiny):
    adapter = find_method("adapter")
    assert HOULSBY.count(tiny.anatomy, HOULSBY.config()) == 2 * adapter.count(
        tiny.anatomy, adapter.config()
    )


def test_up_starts_at_zero_and_down_does_not(tiny):
    for d in new(tiny).deltas.values():
        assert not d.up.any() and d.down.any()
