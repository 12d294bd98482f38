"""The precision in which a run learns, on a CPU with bf16 units and on one without."""

import pytest
import torch
from torch.nn import functional as F

from peft_demo.adapters import attach, create
from peft_demo.inference import autocast, disable_slow_fused_attention
from peft_demo.methods import find_method

CPU = torch.device("cpu")


@pytest.fixture(params=[True, False])
def amx(request, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": request.param})
    return request.param


def test_products_are_bf16_where_there_are_units_for_it(amx):
    with autocast(CPU):
        assert F.linear(torch.ones(1, 2), torch.ones(3, 2)).dtype is (
            torch.bfloat16 if amx else torch.float32
        )


def test_attention_is_changed_in_the_attached_model_alone(amx, tiny):
    lora = find_method("lora")
    model = disable_slow_fused_attention(
        attach(tiny, create(lora, lora.config({}), tiny, 2, seed=0)), CPU
    )
    assert all(block.attn.map.fused_attn is not amx for block in model.blocks)
    assert all(block.attn.map.fused_attn for block in tiny.model.blocks)
