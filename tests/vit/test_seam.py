"""Seams: shells share tensors, fused rows compute what the fused linear did, inner seams survive outer ones."""

import torch
from torch import nn

from peft_demo.vit.seam import Delta, SplitLinear, put_seams, share_tensors


class Twice(Delta):
    def forward(self, f, x):
        return 2 * f(x)


def test_a_shell_shares_every_tensor_and_no_module(tiny):
    twin = share_tensors(tiny.model)
    for (name, a), (_, b) in zip(
        tiny.model.named_parameters(), twin.named_parameters(), strict=True
    ):
        assert a is b, name
    assert not set(map(id, twin.modules())) & set(map(id, tiny.model.modules()))


def test_changing_a_shell_leaves_the_original_alone(tiny):
    twin = share_tensors(tiny.model)
    twin.train()
    twin.blocks[0].attn._parameters["extra"] = nn.Parameter(torch.zeros(1))
    put_seams(twin, {"blocks.0.mlp": Twice()})
    assert not tiny.model.training
    assert "extra" not in dict(tiny.model.blocks[0].attn.named_parameters())
    assert not isinstance(tiny.model.blocks[0].mlp, type(twin.blocks[0].mlp))


def test_rows_share_storage_and_compute_the_fused_linear():
    fused = nn.Linear(6, 12)
    rows = SplitLinear(fused)
    x = torch.randn(2, 5, 6)
    assert torch.allclose(rows(x), fused(x), atol=1e-6)
    assert rows.k.weight.data_ptr() == fused.weight[4:8].data_ptr()


def test_a_seam_around_a_branch_holds_the_seams_inside_it(tiny):
    x = torch.randn(1, 3, 32, 32)
    inner = share_tensors(tiny.model)
    outer = share_tensors(tiny.model)
    both = share_tensors(tiny.model)
    put_seams(inner, {"blocks.0.mlp.map.fc1": Twice()})
    put_seams(outer, {"blocks.0.mlp": Twice()})
    put_seams(both, {"blocks.0.mlp": Twice(), "blocks.0.mlp.map.fc1": Twice()})
    with torch.no_grad():
        answers = [t(x) for t in (tiny.model, inner, outer, both)]
    assert len({tuple(a.flatten().tolist()) for a in answers}) == 4
