import torch
from small import away
from torch import nn

from peft_demo.methods import find_method
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

SITE = Site("blocks.0.mlp", "mlp", "blocks.0.mlp", 12, 12, 0)
ADAPTFORMER = find_method("adaptformer")


def delta(**knobs):
    from peft_demo.methods.adaptformer import Parallel

    return Parallel(SITE, ADAPTFORMER.config({"hidden": 5} | knobs)).double().eval()


def test_it_is_the_papers_formula():
    d = away(delta(scale=0.3))
    f = nn.Linear(12, 12).double()
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    bottleneck = torch.clamp(x @ d.down.T + d.down_bias, min=0) @ d.up.T + d.up_bias
    assert torch.allclose(d(f, x), f(x) + 0.3 * bottleneck, atol=1e-12)


def test_it_reads_the_stream_not_the_branch():
    d = away(delta())
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    assert torch.allclose(d(torch.zeros_like, x), d(lambda x: x, x) - x, atol=1e-12)


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert ADAPTFORMER.count(vit_b, ADAPTFORMER.config()) == 1_189_632
    assert ADAPTFORMER.count(vit_b, ADAPTFORMER.config({"hidden": 8})) == 156_768


def test_up_and_biases_start_at_zero_and_down_within_kaimings_bound():
    d = delta()
    assert not d.up.any() and not d.up_bias.any() and not d.down_bias.any()
    assert 0 < d.down.abs().max() <= 12**-0.5


def test_dropout_acts_in_training_only():
    d = away(delta(dropout=0.5))
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    assert torch.equal(d(torch.zeros_like, x), d(torch.zeros_like, x))
    d.train()
    assert not torch.equal(d(torch.zeros_like, x), d(torch.zeros_like, x))


def test_the_first_gradient_goes_to_up_alone():
    d = delta(dropout=0.0)
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    d(torch.zeros_like, x).sum().backward()
    assert d.up.grad.any() and d.up_bias.grad.any()
    assert not d.down.grad.any(), (
        "down waits for up, as in LoRA; were both zero, neither would ever move"
    )
