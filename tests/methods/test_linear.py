import torch
from torch.nn import functional as F

from peft_demo.adapters import attach, create
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

LINEAR = find_method("linear")


def new(tiny):
    adapter = create(LINEAR, LINEAR.config(), tiny, 5, seed=0)
    torch.manual_seed(1)
    for p in adapter.parameters():
        p.data.normal_()
    return adapter, attach(tiny, adapter).eval()


def test_it_is_a_linear_map_of_the_frozen_features(tiny):
    (adapter, model) = new(tiny)
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(
            model(images), tiny.model(images) @ adapter.head.weight.T + adapter.head.bias
        )


def test_only_the_head_is_in_it(tiny):
    adapter, _ = new(tiny)
    assert {n for n, _ in adapter.named_parameters()} == {"head.weight", "head.bias"}
    assert LINEAR.count(anatomy_of(Source("b", "b", "vit_base_patch16_224")), LINEAR.config()) == 0


def test_its_gradient_is_that_of_logistic_regression(tiny):
    (adapter, model) = new(tiny)
    images = torch.randn(3, 3, 32, 32)
    labels = torch.tensor([0, 3, 1])
    F.cross_entropy(model(images), labels).backward()
    with torch.no_grad():
        error = (model(images).softmax(-1) - F.one_hot(labels, 5)) / 3
        assert torch.allclose(adapter.head.weight.grad, error.T @ tiny.model(images), atol=1e-6)
