"""Merging: plain timm weights that answer the same, and refusals by name."""

import pytest
import timm
import torch
from small import disturbed, images, new, random_vit

from peft_demo.adapters import attach, merge, merged_tensors
from peft_demo.adapters.merge import probe
from peft_demo.contracts.errors import CannotMerge


@pytest.mark.parametrize("name", ["lora", "arc", "bitfit", "full", "linear"])
def test_merged_tensors_load_into_plain_timm_with_the_same_logits(name, tiny):
    adapter = disturbed(new(name, tiny))
    shape = {
        "img_size": 32,
        "patch_size": 8,
        "embed_dim": 48,
        "depth": 2,
        "num_heads": 3,
        "num_classes": 5,
    }
    plain = timm.create_model("vit_tiny_patch16_224", **shape).eval()
    plain.load_state_dict(merged_tensors(tiny, adapter), strict=True)
    with torch.no_grad():
        expected = attach(tiny, adapter).eval()(images())
        assert (plain(images()) - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_no_seam_is_left_and_the_backbone_is_untouched(tiny):
    before = tiny.live_fingerprint()
    merged = merge(tiny, disturbed(new("lora", tiny)))
    assert not any(type(m).__name__ in ("Seam", "Rows") for m in merged.modules())
    assert tiny.live_fingerprint() == before


def test_what_is_not_linear_is_refused(tiny):
    with pytest.raises(CannotMerge, match="not linear"):
        merge(tiny, new("adapter", tiny))


def test_a_shift_without_a_bias_to_take_it_is_refused_by_layer():
    unbiased = random_vit(qkv_bias=False)
    with pytest.raises(CannotMerge, match=r"blocks\.0\.qkv has no bias"):
        merge(unbiased, disturbed(new("arc", unbiased)))


def test_the_probe_finds_an_affine_map():
    from peft_demo.vit import Delta

    class Affine(Delta):
        def forward(self, f, x):
            return f(2 * x + 1)

    f = torch.nn.Linear(5, 3)
    W, b = probe(Affine(), f)
    x = torch.randn(4, 5)
    assert torch.allclose(x @ W.float().T + b.float(), f(2 * x + 1), atol=1e-6)
