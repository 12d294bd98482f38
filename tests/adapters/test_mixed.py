"""Many adapters in one forward pass, each image its own."""

import pytest
import torch
from small import disturbed, images, new, random_vit

from peft_demo.adapters import Mixed, attach, is_mixable
from peft_demo.methods import methods

MIXABLE = {
    "lora",
    "aoft_lora",
    "aoft_adapter",
    "arc",
    "arc_att",
    "bi_lora",
    "repadapter",
    "linear",
    "fact_tt",
    "fact_tk",
    "moslora",
    "vera",
}


def one_by_one(backbone, adapters, x, numbers):
    models = [attach(backbone, adapter).eval() for adapter in adapters]
    return [models[i](x[n : n + 1])[0] for n, i in enumerate(numbers)]


def test_which_methods_mix(tiny):
    assert {name for name in methods() if is_mixable(tiny, new(name, tiny))} == MIXABLE


@torch.no_grad()
def test_each_image_gets_the_answer_of_its_own_adapter(tiny):
    adapters = [disturbed(new(name, tiny, seed=n), n) for n, name in enumerate(sorted(MIXABLE))]
    adapters.append(disturbed(new("lora", tiny, rank=3, targets=("k", "proj", "fc1")), 50))
    numbers = [n % len(adapters) for n in range(2 * len(adapters))][::-1]
    x = images(len(numbers))
    expected = one_by_one(tiny, adapters, x, numbers)
    answers = Mixed(tiny, adapters).eval()(x, numbers)
    assert max((a - b).abs().max().item() for a, b in zip(answers, expected, strict=True)) < 1e-5
    others = one_by_one(tiny, adapters, x, [(i + 1) % len(adapters) for i in numbers])
    assert min((a - b).abs().max().item() for a, b in zip(answers, others, strict=True)) > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
def test_a_backbone_with_and_without_biases(bias):
    backbone = random_vit(qkv_bias=bias)
    adapters = [
        disturbed(new(name, backbone, seed=n), n)
        for n, name in enumerate(("arc", "lora", "aoft_adapter"))
    ]
    x = images(3)
    answers = Mixed(backbone, adapters).eval()(x, [2, 0, 1])
    for a, b in zip(answers, one_by_one(backbone, adapters, x, [2, 0, 1]), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@torch.no_grad()
def test_mixing_leaves_the_backbone_alone(tiny):
    before = tiny.live_fingerprint()
    features = tiny.model(images())
    Mixed(tiny, [disturbed(new("lora", tiny))])(images(), [0] * 4)
    assert tiny.live_fingerprint() == before
    assert torch.equal(tiny.model(images()), features)
