"""Seams: trees share tensors, q, k and v compute what qkv did, seams stand inside seams."""

import torch
from timm.layers import DropPath
from torch import Tensor, nn

from peft_demo.vit import Backbone
from peft_demo.vit.seam import Delta, SplitLinear, put_seams, share_tensors
from peft_demo.vit.sites import linear_at


class Twice(Delta):
    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        return 2 * f(x)


def test_a_tree_shares_every_tensor_and_no_module_that_could_differ(tiny: Backbone) -> None:
    """Only what holds nothing stands in both: it computes the same in each."""
    twin = share_tensors(tiny.model)
    for name, parameter in tiny.model.named_parameters():
        assert twin.get_parameter(name) is parameter, name
    originals = set(map(id, tiny.model.modules()))
    shared = [module for module in twin.modules() if id(module) in originals]
    assert {type(module) for module in shared} <= {nn.Identity, nn.Dropout, nn.GELU}
    assert nn.Identity in {type(module) for module in shared}


def test_a_dropout_with_a_rate_is_a_module_of_its_own() -> None:
    model = nn.Sequential(nn.Dropout(0.1), nn.Dropout(0.0), DropPath(0.1), nn.GELU())
    twin = share_tensors(model)
    assert [old is new for old, new in zip(model, twin, strict=True)] == [False, True, False, True]
    twin.eval()
    assert model[0].training and model[2].training


def test_changing_a_tree_leaves_the_original_alone(tiny: Backbone) -> None:
    twin = share_tensors(tiny.model)
    twin.train()
    twin.get_submodule("blocks.0.attn")._parameters["extra"] = nn.Parameter(torch.zeros(1))
    put_seams(twin, {"blocks.0.mlp": Twice()})
    original = tiny.model.get_submodule("blocks.0")
    assert not tiny.model.training
    assert "attn.extra" not in dict(original.named_parameters())
    assert type(original.mlp) is not type(twin.get_submodule("blocks.0.mlp"))


def test_q_k_and_v_share_storage_and_compute_the_fused_linear() -> None:
    fused = nn.Linear(6, 12)
    split = SplitLinear(fused)
    x = torch.randn(2, 5, 6)
    assert torch.allclose(split(x), fused(x), atol=1e-6)
    assert linear_at(split, "k").weight.data_ptr() == fused.weight[4:8].data_ptr()


def test_a_seam_around_a_branch_holds_the_seams_inside_it(tiny: Backbone) -> None:
    x = torch.randn(1, 3, 32, 32)
    inner = share_tensors(tiny.model)
    outer = share_tensors(tiny.model)
    both = share_tensors(tiny.model)
    put_seams(inner, {"blocks.0.mlp.map.fc1": Twice()})
    put_seams(outer, {"blocks.0.mlp": Twice()})
    put_seams(both, {"blocks.0.mlp": Twice(), "blocks.0.mlp.map.fc1": Twice()})
    with torch.no_grad():
        answers = [tree(x) for tree in (tiny.model, inner, outer, both)]
    assert len({tuple(answer.flatten().tolist()) for answer in answers}) == 4
