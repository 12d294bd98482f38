"""Any adapter that folds, as the LoRA that is nearest to it: in the real package too."""

import pytest
import timm
import torch
from small import CLASSES, card, disturbed, images, new, surveyed

from peft_demo.adapters import merge
from peft_demo.contracts.errors import CannotExport
from peft_demo.interop import fit, fit_to_peft
from peft_demo.vit.anatomy import timm_name

SHAPE = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
METHODS = ("rlrr", "ssf", "hta", "bitfit", "lora")
WHOLE = 48
"""The rank of a square weight of the tiny backbone."""


def answers(model):
    with torch.no_grad():
        return model(images())


@pytest.mark.parametrize("method", METHODS)
def test_at_full_rank_nothing_is_lost(method, tiny):
    adapter = disturbed(new(method, tiny))
    fitted = fit(tiny, adapter, WHOLE)
    assert fitted.kept == pytest.approx(1.0) and not fitted.left_out
    assert torch.allclose(answers(fitted.model), answers(merge(tiny, adapter)), atol=1e-3)


def test_a_smaller_rank_keeps_the_largest_singular_values(tiny):
    adapter = disturbed(new("hta", tiny))
    fitted = fit(tiny, adapter, 3)
    moved = merge(tiny, adapter).state_dict()
    kept = whole = 0.0
    for path, product in fitted.products.items():
        change = (
            moved[f"{path}.weight"].double() - tiny.model.state_dict()[f"{path}.weight"].double()
        )
        S = torch.linalg.svdvals(change)
        rest = change - product.up.double() @ product.down.double()
        assert rest.norm().item() == pytest.approx(S[3:].norm().item(), rel=1e-4)
        kept += S[:3].square().sum().item()
        whole += S.square().sum().item()
    assert fitted.kept == pytest.approx(kept / whole)
    assert 0 < fitted.kept < 1 and {len(p.down) for p in fitted.products.values()} == {3}


@pytest.mark.parametrize("method", ["rlrr", "ssf", "hta"])
def test_the_folder_answers_the_same_in_peft(method, tiny, tmp_path):
    peft = pytest.importorskip("peft")
    adapter = disturbed(new(method, tiny))
    fitted = fit(tiny, adapter, 4)
    for name, content in fit_to_peft(tiny, fitted, card(adapter, tiny)).items():
        (tmp_path / name).write_bytes(content)
    plain = timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, **SHAPE).eval()
    frozen = {timm_name(name): tensor for name, tensor in tiny.model.state_dict().items()}
    plain.load_state_dict(frozen, strict=False)
    loaded = peft.PeftModel.from_pretrained(plain, str(tmp_path)).eval()
    assert torch.allclose(answers(loaded), answers(fitted.model), atol=1e-4)


def test_tokens_are_left_out_and_named(tiny):
    adapter = surveyed("spt_lora", tiny)
    replaced = {name for name in adapter.replaced() if "token" in name or "pos_embed" in name}
    assert set(fit(tiny, disturbed(adapter), 4).left_out) == replaced


@pytest.mark.parametrize("method", ["adapter", "vpt_deep", "linear"])
def test_what_is_no_change_of_linears_is_refused(method, tiny):
    with pytest.raises(CannotExport):
        fit(tiny, disturbed(new(method, tiny)), 4)


def test_the_backbone_stays_as_it_is(tiny):
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    fit(tiny, disturbed(new("rlrr", tiny)), 4)
    assert all(
        torch.equal(tensor, tiny.model.state_dict()[name]) for name, tensor in before.items()
    )
