"""What tests are made of: a random Vision Transformer of a few blocks, adapters, images, cards."""

from typing import Any, TypeVar

import timm
import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn import functional as F

from peft_demo.adapters import Adapter, AdapterFile, attach, create, load
from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.knobs import knobs
from peft_demo.contracts.specs import Recipe
from peft_demo.data.few_shot_tensors import FewShotTensors
from peft_demo.methods import Method, find_method
from peft_demo.vit import Backbone, wrap

STAGES = {"img_size": 32, "window_size": 4, "embed_dim": 32, "depths": (2, 2), "num_heads": (2, 4)}
"""A Swin of two stages, as timm's `create_model` takes it."""
SEED = 3
CLASSES = 5
COLOURS = ("red", "green", "blue")
AS_LORA = (
    "lora",
    "dora",
    "aoft_lora",
    "aoft_adapter",
    "arc",
    "arc_att",
    "bi_lora",
    "fact_tt",
    "fact_tk",
    "moslora",
    "repadapter",
    "vera",
)
"""Methods whose every change is a LoRA or a DoRA of huggingface/peft."""

Module = TypeVar("Module", bound=nn.Module)


def random_vit(depth: int = 2, width: int = 48, seed: int = 0, **kwargs: Any) -> Backbone:
    """A random Vision Transformer as a backbone, its norms and biases away from their constants."""
    shape = {
        "img_size": 32,
        "patch_size": 8,
        "embed_dim": width,
        "depth": depth,
        "num_heads": 3,
        **kwargs,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = timm.create_model("vit_tiny_patch16_224", num_classes=0, **shape)
        for p in model.parameters():
            p.data += 0.05 * torch.randn_like(p)
    return wrap(model, "tiny", "vit_tiny_patch16_224")


def images(n: int = 4, seed: int = 0) -> Tensor:
    """`n` normalised random images of 32 px."""
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def labels(n: int = 4) -> Tensor:
    """Labels of `n` images, one class after the other."""
    return torch.arange(n) % CLASSES


def fitted(method: Method, backbone: Backbone) -> dict[str, Any]:
    """Knobs whose default is too wide for a tiny backbone, brought within it."""
    ranks = [knob for knob in knobs(method.Config) if knob.name == "rank"]
    return {knob.name: min(knob.default, backbone.anatomy.width // 2) for knob in ranks}


def new(name: str, backbone: Backbone, seed: int = SEED, **values: Any) -> Adapter:
    """A new adapter of the method called `name`, five classes, knobs at their (fitting) default."""
    method = find_method(name)
    config = method.config({**fitted(method, backbone), **values})
    return create(method, config, backbone, CLASSES, seed)


def surveyed(name: str, backbone: Backbone, seed: int = 0, **values: Any) -> Adapter:
    """An SPT adapter after a survey of eight random images.

    One norm is made sensitive, so that the adapter has modules, single entries and whole vectors.
    """
    method = find_method(name)
    config = method.config({"rank": 2, "budget": 4.0, **values})
    survey = method.survey(backbone, config, CLASSES, seed)
    survey.add(images(8), labels(8))
    survey.sums["blocks.1.norm2.weight"] += 1.0
    return create(method, config, backbone, CLASSES, seed, survey.allocation())


def away(module: Module, by: float = 1.0) -> Module:
    """The module with random parameters, away from its start."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        parameter.data = by * torch.randn_like(parameter)
    return module


def linear() -> nn.Linear:
    """A random linear of fp64 numbers, 12 → 10."""
    torch.manual_seed(1)
    return nn.Linear(12, 10, dtype=torch.float64)


def inputs() -> Tensor:
    """Random fp64 inputs of that linear, [2 7 12]."""
    return torch.randn(2, 7, 12, dtype=torch.float64)


def disturbed(adapter: Adapter, seed: int = 1, by: float = 0.05) -> Adapter:
    """The adapter somewhere away from its start, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in adapter.parameters():
            p += by * torch.randn(p.shape, generator=generator)
    return adapter.eval()


def by_decay(adapter: Adapter) -> tuple[list[Parameter], list[Parameter]]:
    """The parameters that take weight decay, and all others."""
    groups = adapter.groups(Recipe(lr=1e-3, head_lr=1e-4))
    decayed = [p for group in groups for p in group["params"] if group["weight_decay"]]
    free = [p for group in groups for p in group["params"] if not group["weight_decay"]]
    return decayed, free


def trained(
    name: str,
    backbone: Backbone,
    steps: int = 3,
    seed: int = SEED,
    lr: float = 1e-2,
    **values: Any,
) -> Adapter:
    """The adapter after a few steps of training."""
    torch.manual_seed(seed)
    adapter = new(name, backbone, seed, **values)
    model = attach(backbone, adapter).train()
    optimizer = torch.optim.AdamW(adapter.groups(Recipe(lr=lr, head_lr=lr)))
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(images()), labels()).backward()
        optimizer.step()
    return adapter.eval()


def logits(backbone: Backbone, adapter: Adapter) -> Tensor:
    """What the adapter answers to the small images, [4 C]."""
    with torch.no_grad():
        return attach(backbone, adapter).eval()(images())


def card(adapter: Adapter, backbone: Backbone) -> AdapterCard:
    """A card that fits the adapter and the backbone."""
    config = adapter.config
    return AdapterCard(
        name="a",
        method=adapter.method.name,
        knobs={knob.name: getattr(config, knob.name) for knob in knobs(type(config))},
        classes=tuple("abcde"),
        **backbone.facts(),
        spec={},
        trainable=adapter.trainable,
        head=adapter.head_parameters,
        replaced=tuple(adapter.replaced()),
        extra=adapter.extra,
    )


def loaded(content: bytes, backbone: Backbone) -> Adapter:
    """The adapter in the bytes of a file."""
    return load(AdapterFile.parse(content), backbone)


def coloured(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """`n` noisy images of 32 px, each mostly of its class's colour, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = torch.randint(0, 120, (n, 3, 32, 32), generator=generator)
    images[torch.arange(n), labels] += 110
    return images.to(torch.uint8), labels


def material(val: int = 9, test: int = 12) -> FewShotTensors:
    """24 coloured images to train on, 9 to validate and 12 to test."""
    parts = coloured(24, 0), coloured(val, 1), coloured(test, 2)
    return FewShotTensors(COLOURS, *parts, "split", ("aa", "bb"))
