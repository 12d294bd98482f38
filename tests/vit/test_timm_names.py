"""Every name timm has for a Vision Transformer gives an anatomy, or a sentence that refuses it."""

import pytest
import timm

from peft_demo.contracts.errors import PeftDemoError
from peft_demo.vit import anatomy_of
from peft_demo.vit.anatomy import Anatomy
from peft_demo.vit.source import Source

STARTS = ("vit_", "deit", "swin", "eva", "beit", "dinov")
NAMES = [name for name in timm.list_models() if name.startswith(STARTS)]
ONE_OF_EACH = {
    "vit_tiny_patch16_224": "",
    "deit3_small_patch16_224": "",
    "swin_tiny_patch4_window7_224": "",
    "vit_small_patch16_dinov3": "",
    "deit_tiny_distilled_patch16_224": "two heads",
    "beit_base_patch16_224": "Beit is not",
    "beitv2_base_patch16_224": "Beit is not",
    "eva02_tiny_patch14_224": "rotary positions only",
    "swinv2_tiny_window8_256": "SwinTransformerV2 is not",
    "vit_base_r50_s16_384": "come from a HybridEmbed",
    "vit_tiny_r_s16_p8_224": "come from a HybridEmbed",
    "vit_base_mci_224": "a network of its own",
    "vit_relpos_small_patch16_224": "VisionTransformerRelPos is not",
    "vit_small_patch16_18x2_224": "ParallelThingsBlock",
}
"""timm name → a word of the sentence; "" for those that work."""


def answer(name: str, **settings: object) -> Anatomy | str:
    """The anatomy, or the sentence."""
    try:
        return anatomy_of(Source(name, name, name, kwargs=tuple(settings.items())))
    except PeftDemoError as error:
        return str(error)


def shallow(name: str) -> Anatomy | str:
    """As `answer`, for a model of one block a stage: the same classes in a tenth of the time."""
    depth = {"depths": (1, 1, 1, 1)} if name.startswith("swin") else {"depth": 1}
    result = answer(name, **depth)
    # A few take no other depth.
    return answer(name) if "timm cannot build" in str(result) else result


@pytest.mark.parametrize(("name", "word"), ONE_OF_EACH.items())
def test_one_of_each_class_gives_an_anatomy_or_a_sentence(name: str, word: str) -> None:
    """F16."""
    result = shallow(name)
    assert isinstance(result, Anatomy) if not word else word in str(result)


@pytest.mark.slow
def test_every_name_gives_an_anatomy_or_a_sentence() -> None:
    """F16. Anything but a `PeftDemoError` is an error of this test."""
    answers = {name: shallow(name) for name in NAMES}
    assert not [name for name, result in answers.items() if "timm cannot build" in str(result)]
    works = [name for name, result in answers.items() if isinstance(result, Anatomy)]
    assert len(NAMES) > 250 and len(works) > 150
