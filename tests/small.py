"""What tests are made of: a random Vision Transformer of a few blocks, adapters for it, images, cards."""

import timm
import torch
from torch.nn import functional as F

from peft_demo.adapters import Adapter, AdapterFile, attach, create, load
from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.knobs import knobs
from peft_demo.methods import methods
from peft_demo.vit import wrap

SEED = 3
CLASSES = 5


def new(name, backbone, seed=SEED, **values):
    """A new adapter of the method called `name`, five classes, knobs at their (fitting) default."""
    kind = methods()[name]
    return create(kind, kind.config(fitted(kind, backbone) | values), backbone, CLASSES, seed)


def random_vit(depth: int = 2, width: int = 48, seed: int = 0, **kwargs):
    """A random Vision Transformer as a backbone, its norms and biases away from their constants."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = {
            "img_size": 32,
            "patch_size": 8,
            "embed_dim": width,
            "depth": depth,
            "num_heads": 3,
        } | kwargs
        model = timm.create_model("vit_tiny_patch16_224", num_classes=0, **shape)
        for p in model.parameters():
            p.data += 0.05 * torch.randn_like(p)
    return wrap(model, "tiny", "vit_tiny_patch16_224")


def fitted(kind, backbone) -> dict:
    """Knobs at their default, brought within a tiny backbone where the default is too wide for it."""
    widest = {"rank": backbone.anatomy.width // 2}
    return {k.name: min(k.default, widest[k.name]) for k in knobs(kind.Config) if k.name in widest}


def images(n=4, seed=0):
    """`n` normalised random images of 32 px."""
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def labels(n=4):
    return torch.arange(n) % CLASSES


def disturbed(adapter, seed=1, by=0.05):
    """The adapter somewhere away from its start, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in adapter.parameters():
            p += by * torch.randn(p.shape, generator=generator)
    return adapter.eval()


def trained(name, backbone, steps=3, seed=SEED, lr=1e-2, **values):
    """The adapter after a few steps of training."""
    torch.manual_seed(seed)
    adapter = new(name, backbone, seed, **values)
    model = attach(backbone, adapter).train()
    optimizer = torch.optim.AdamW(adapter.groups(1e-4), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(images()), labels()).backward()
        optimizer.step()
    return adapter.eval()


def loaded(content: bytes, backbone) -> Adapter:
    """The adapter in the bytes of a file."""
    return load(AdapterFile.parse(content), backbone)


def card(adapter, backbone) -> AdapterCard:
    """A card that fits the adapter and the backbone."""
    values = {k.name: getattr(adapter.config, k.name) for k in knobs(type(adapter.config))}
    return AdapterCard(
        name="a",
        method=adapter.method.name,
        knobs=values,
        classes=tuple("abcde"),
        **backbone.facts(),
        spec={},
        trainable=adapter.trainable,
        head=adapter.head_parameters,
        replaced=tuple(adapter.replaced()),
    )
