"""Attaching refuses by name what would never fire; sharing stays sharing."""

from dataclasses import replace

import pytest
import torch
from small import by_decay, images, loaded, new

from peft_demo.adapters import attach, dump
from peft_demo.adapters.adapter import create
from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.specs import Recipe
from peft_demo.methods import find_method


def test_a_silent_site_is_refused_with_the_reason(tiny):
    sites = {n: s for n, s in tiny.anatomy.sites.items() if n != "blocks.1.q"}
    silent = {"blocks.1.q": "tiny never calls its q module."}
    deaf = replace(tiny, anatomy=replace(tiny.anatomy, sites=sites, silent=silent))
    with pytest.raises(BadValue, match=r"no site 'blocks.1.q'. tiny never calls"):
        attach(deaf, new("lora", tiny))


def test_an_attached_model_shares_the_backbones_tensors(tiny):
    model = attach(tiny, new("lora", tiny))
    pointers = {t.data_ptr() for t in tiny.model.state_dict().values()}
    frozen = [
        p for n, p in model.named_parameters() if "delta" not in n and not n.startswith("head")
    ]
    assert all(p.data_ptr() in pointers or p.storage_offset() for p in frozen)


def test_arcs_projection_is_one_tensor_before_and_after_a_file(tiny):
    from small import card

    adapter = new("arc", tiny)
    again = loaded(dump(adapter, card(adapter, tiny)), tiny)
    for a in (adapter, again):
        deltas = a.by_site()
        assert deltas["blocks.0.qkv"].projection is deltas["blocks.1.qkv"].projection
        assert deltas["blocks.0.qkv"].projection is not deltas["blocks.0.fc1"].projection
        assert sum("projection" in n for n in a.state()) == 2


def test_only_matrices_decay(tiny):
    adapter = new("lora", tiny)
    decayed, rest = by_decay(adapter)
    names = {id(p): n for n, p in adapter.named_parameters()}
    assert {names[id(p)].rpartition(".")[2] for p in decayed} == {"down", "up", "weight"}
    assert [names[id(p)] for p in rest] == ["head.bias"]


def test_the_head_learns_at_a_rate_of_its_own(tiny):
    adapter = new("lora", tiny)
    rates = {
        id(parameter): group["lr"]
        for group in adapter.groups(Recipe(lr=0.1, head_lr=0.2))
        for parameter in group["params"]
    }
    head = {id(parameter) for parameter in adapter.head.parameters()}
    assert rates.keys() == {id(parameter) for parameter in adapter.parameters()}
    assert all(rate == (0.2 if id in head else 0.1) for id, rate in rates.items())


def test_full_fine_tuning_starts_from_the_backbones_own_values(tiny):
    method = find_method("full")
    adapter = create(method, method.config(), tiny, 2, seed=0)
    assert adapter.trainable == tiny.parameters
    with torch.no_grad():
        model = attach(tiny, adapter).eval()
        assert torch.equal(model.forward_features(images()), tiny.model.forward_features(images()))
