"""A delta begins once, when its adapter is created around a backbone; nothing else of it reads the
frozen map then."""

from dataclasses import replace

import pytest
import torch
from small import CLASSES, card
from torch import Tensor, nn

from peft_demo.adapters import AdapterFile, create, dump, load, meta_adapter
from peft_demo.methods import Method, Parts, find_method, methods
from peft_demo.vit import Anatomy, Backbone, Delta

SITES = ("blocks.0.q", "blocks.1.fc1", "blocks.1.mlp", "norm")


class FirstColumn(Delta):
    """Starts from the first numbers of the frozen map, and counts how often it begins."""

    def __init__(self, size: int):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(size))
        self.begun = 0

    def begin(self, f: nn.Module) -> None:
        weight = next(f.parameters()).flatten()
        self.start.copy_(weight[: len(self.start)])
        assert not torch.is_grad_enabled()
        self.begun += 1

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        return f(x) + self.start.sum()


def build(anatomy: Anatomy, config: object) -> Parts:
    return Parts({name: FirstColumn(3) for name in SITES})


@pytest.fixture
def beginner(monkeypatch: pytest.MonkeyPatch) -> Method:
    method = replace(find_method("linear"), name="beginner", build=build)
    monkeypatch.setitem(methods(), "beginner", method)
    return method


def test_every_delta_begins_once_around_its_own_frozen_map(beginner: Method, tiny: Backbone):
    adapter = create(beginner, beginner.config(), tiny, CLASSES, seed=0)
    frozen = tiny.model.state_dict()
    expected = {
        "blocks.0.q": frozen["blocks.0.attn.map.qkv.weight"],
        "blocks.1.fc1": frozen["blocks.1.mlp.map.fc1.weight"],
        "blocks.1.mlp": frozen["blocks.1.mlp.norm.weight"],
        "norm": frozen["norm.weight"],
    }
    for site, delta in adapter.by_site().items():
        assert delta.begun == 1
        assert delta.start.requires_grad
        assert torch.equal(delta.start, expected[site].flatten()[:3])


def test_k_and_v_begin_at_their_own_rows(beginner: Method, tiny: Backbone):
    parts = Parts({f"blocks.0.{role}": FirstColumn(3) for role in ("k", "v")})
    method = replace(beginner, build=lambda anatomy, config: parts)
    adapter = create(method, method.config(), tiny, CLASSES, seed=0)
    rows = tiny.model.state_dict()["blocks.0.attn.map.qkv.weight"]
    for role, first in (("k", 48), ("v", 96)):
        assert torch.equal(adapter.by_site()[f"blocks.0.{role}"].start, rows[first, :3])


def test_skeletons_and_loaded_adapters_do_not_begin(beginner: Method, tiny: Backbone):
    skeleton = meta_adapter(beginner, beginner.config(), tiny.anatomy, CLASSES)
    assert {delta.begun for delta in skeleton.by_site().values()} == {0}
    adapter = create(beginner, beginner.config(), tiny, CLASSES, seed=0)
    with torch.no_grad():
        adapter.by_site()["norm"].start += 1.0
    file = AdapterFile.parse(dump(adapter, card(adapter, tiny)))
    loaded = load(file, tiny)
    assert {delta.begun for delta in loaded.by_site().values()} == {0}
    for site, delta in loaded.by_site().items():
        assert torch.equal(delta.start, adapter.by_site()[site].start)
