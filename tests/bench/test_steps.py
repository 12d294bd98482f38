"""The yardstick, and what is measured against it."""

import json
from copy import deepcopy

import pytest
import timm
import torch
from small import images
from torch import nn

from peft_demo.bench.plain import PlainLoRA, plain_lora
from peft_demo.bench.steps import PEFT, Steps, saved_bytes
from peft_demo.inference.precision import FP32


def test_the_hand_written_lora_is_lora():
    torch.manual_seed(0)
    qkv = nn.Linear(12, 36)
    x = torch.randn(2, 5, 12)
    lora = PlainLoRA(deepcopy(qkv).requires_grad_(False), rank=4)
    assert torch.equal(lora(x), qkv(x))
    nn.init.normal_(lora.q_up.weight)
    nn.init.normal_(lora.v_up.weight)
    W = qkv.weight.clone()
    W[:12] += lora.q_up.weight @ lora.q_down.weight
    W[24:] += lora.v_up.weight @ lora.v_down.weight
    assert torch.allclose(lora(x), x @ W.T + qkv.bias, atol=1e-5)
    lora(x).sum().backward()
    assert all(p.grad is not None for n, p in lora.named_parameters() if "_" in n)


def test_it_trains_as_many_numbers_as_ours():
    model = timm.create_model(
        "vit_tiny_patch16_224", num_classes=0, img_size=32, patch_size=8, depth=2
    )
    plain = plain_lora(model, 10)
    trained = sum(p.numel() for p in plain.parameters() if p.requires_grad)
    assert trained == 2 * 2 * 2 * 8 * 192 + 10 * 192 + 10
    assert plain(images()).shape == (4, 10)


def test_saved_bytes_counts_each_storage_once_and_no_weights():
    linear = nn.Linear(8, 8)
    x = torch.randn(4, 8, requires_grad=True)
    own = {p.untyped_storage().data_ptr() for p in linear.parameters()}
    assert saved_bytes(lambda: linear(x).sum(), own) == x.nbytes
    assert saved_bytes(lambda: linear(x).exp().sum(), own) == 2 * x.nbytes
    assert saved_bytes(lambda: (linear(x) + linear(x)).sum(), own) == x.nbytes


@pytest.mark.parametrize("name", ["linear", "lora", "spt_lora"])
def test_a_step_takes_time_moves_the_adapter_and_not_the_backbone(name, tiny):
    steps = Steps.of(name, {}, tiny, batch=4)
    before = tiny.live_fingerprint()
    weights = [p.detach().clone() for p in steps.parameters]
    assert steps.take() > 0 and steps.saved_mb() > 0 and steps.peak_mb() == 0
    assert any(not torch.equal(a, b) for a, b in zip(weights, steps.parameters, strict=True))
    assert tiny.live_fingerprint() == before


def test_bench_methods_prints_ratios(typed):
    words = ["bench", "methods", "--methods", "linear,lora"]
    words += ["--batch", 2, "--size", 32, "--pairs", 2]
    code, out, err = typed(*words, "--json")
    assert code == 0, err
    linear, lora, theirs = json.loads(out)
    assert linear["saved_ratio"] < 0.5
    assert lora["saved_ratio"] == pytest.approx(1, abs=0.15)
    assert theirs["method"] == PEFT and theirs["precision"] == FP32
    assert all(row["ms"] > 0 and row["time_ratio"] > 0 for row in (linear, lora, theirs))
    assert "× lora" in typed(*words, "--markdown")[1]


def test_precision_and_memory_are_as_for_train(typed):
    words = ["bench", "methods", "--methods", "lora", "--batch", 2, "--size", 32, "--pairs", 1]
    code, out, err = typed(*words, "--precision", "fp32", "--memory", "low", "--json")
    assert code == 0, err
    lora = json.loads(out)[0]
    assert lora["precision"] == FP32 and lora["saved_ratio"] < 0.5
    assert "precision takes one of" in typed(*words, "--precision", "fp8")[2]


def test_a_method_this_backbone_refuses_is_a_row_with_its_sentence(typed):
    words = ["bench", "methods", "--methods", "linear,lora:rank=128", "--backbone", "test_vit"]
    code, out, err = typed(*words, "--batch", 1, "--pairs", 1)
    assert code == 0 and "rank 128 is larger" in out, err
