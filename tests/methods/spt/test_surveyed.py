"""The laws again, after a survey that gave modules, single entries and whole vectors."""

import pytest
import torch
from small import card, disturbed, images, labels, loaded, logits, random_vit, surveyed
from torch.nn import functional as F

from peft_demo.adapters import attach, create, dump, merge
from peft_demo.methods import find_method
from peft_demo.methods.spt.delta import Bottleneck, Config, Entries, LowRankEntries
from peft_demo.methods.spt.pieces import budget
from peft_demo.methods.spt.survey import Survey

each_form = pytest.mark.parametrize("name", ["spt_lora", "spt_adapter"])


@each_form
def test_all_kinds_are_there_and_it_starts_as_identity(name, tiny):
    adapter = surveyed(name, tiny)
    module = LowRankEntries if name == "spt_lora" else Bottleneck
    assert {type(delta) for delta in adapter.by_site().values()} == {Entries, module}
    assert set(adapter.replaced()) == {"cls_token", "blocks.1.norm2.weight"}
    shifted = [delta for delta in adapter.by_site().values() if delta.shift is not None]
    assert any(delta.shift_at is None for delta in shifted)
    assert any(delta.shift_at is not None for delta in shifted)
    model = attach(tiny, adapter).eval()
    with torch.no_grad():
        features = model.forward_head(model.forward_features(images()), pre_logits=True)
        assert torch.allclose(features, tiny.model(images()), atol=1e-5)


@each_form
def test_every_tensor_learns(name, tiny):
    torch.manual_seed(0)
    adapter = surveyed(name, tiny)
    model = attach(tiny, adapter).train()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.5)
    reached = set()
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(images()), labels()).backward()
        for parameter, p in adapter.named_parameters():
            if p.grad is not None and p.grad.any():
                reached.add(parameter)
        optimizer.step()
    assert reached == {parameter for parameter, _ in adapter.named_parameters()}


def test_merged_equals_attached(tiny):
    adapter = disturbed(surveyed("spt_lora", tiny)).double()
    backbone = random_vit()
    backbone.model.double()
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(images().double())
        merged = merge(backbone, adapter).eval()(images().double())
    assert (attached - merged).abs().max() <= 1e-10


@each_form
def test_a_file_answers_bit_for_bit(name, tiny):
    adapter = disturbed(surveyed(name, tiny))
    again = loaded(dump(adapter, card(adapter, tiny)), tiny)
    assert torch.equal(logits(tiny, again), logits(tiny, adapter))


@each_form
def test_it_compiles_in_one_full_graph(name, tiny):
    torch._dynamo.reset()
    model = attach(tiny, disturbed(surveyed(name, tiny))).eval()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(compiled(images()), model(images()), atol=1e-5)


BACKBONES = {
    "registers": {"reg_tokens": 4},
    "no class token": {"class_token": False, "global_pool": "avg"},
    "layer scale": {"init_values": 0.1},
    "norms of q and k": {"qk_norm": True},
    "no bias at qkv": {"qkv_bias": False},
}


@pytest.mark.parametrize("form", BACKBONES)
def test_other_backbones_are_surveyed_too(form):
    backbone = random_vit(**BACKBONES[form])
    config = Config(budget=4.0, rank=2)
    survey = Survey(LowRankEntries, backbone, config, 5, 0)
    survey.add(images(8), labels(8))
    method = find_method("spt_lora")
    adapter = disturbed(create(method, config, backbone, 5, 0, survey.allocation()))
    assert abs(adapter.trainable - budget(backbone.anatomy, config)) <= 0.05 * adapter.trainable
    assert ("cls_token" in adapter.replaced()) == (backbone.anatomy.prefix > 0)
    attached = logits(backbone, adapter)
    with torch.no_grad():
        merged = merge(backbone, adapter).eval()(images())
    assert (attached - merged).abs().max() <= 1e-5 * attached.abs().max()


def test_it_trains_in_half_precision(tiny):
    """As on a GPU: bfloat16 activations, fp32 parameters, gradients in fp32."""
    adapter = disturbed(surveyed("spt_lora", tiny))
    model = attach(tiny, adapter).train()
    with torch.autocast("cpu", torch.bfloat16):
        answers = model(images())
    F.cross_entropy(answers.float(), labels()).backward()
    for p in adapter.parameters():
        assert p.grad.dtype == torch.float32
        assert p.grad.isfinite().all()
