"""LoRA on a Vision Transformer with timm and huggingface/peft, as one writes it by hand.

    python peft_script.py SETTINGS.json

It uses nothing of the project beside it: `bench run` times it as a process of its own. Pictures lie
in IMAGES/train/CLASS/, IMAGES/val/CLASS/ and IMAGES/test/CLASS/. The settings are

    images, out             folders of the pictures, and for the adapter
    weights, arch, model    a safetensors file, timm's name of the model, arguments beside it
    size, mean, std         the side of a picture in pixels, and how it is normalised
    device                  "cpu", "cuda" or "mps"
    seed, epochs, batch, test_batch, lr, head_lr, weight_decay, warmup, clip, smoothing
    validations             how often a run is validated at most
    rank, alpha             of the LoRA on the fused qkv

All is in fp32, as people run it. The pictures of a few-shot set fit into memory, so each is decoded
once. The last line printed is JSON: the test accuracy (a fraction of 1), and seconds.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, cos, inf, pi
from pathlib import Path
from time import perf_counter
from typing import Any

import timm
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import ImageFolder

Settings = dict[str, Any]
BICUBIC = transforms.InterpolationMode.BICUBIC


class Pictures(Dataset):
    """The pictures of a folder at S px, held in memory; `transform` is done anew at each look."""

    def __init__(self, folder: Path, size: int, transform: transforms.Compose):
        images = ImageFolder(folder, transforms.Resize((size, size), BICUBIC))
        self.classes = images.classes
        self.examples = [images[number] for number in range(len(images))]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """([3 S S], label)"""
        image, label = self.examples[number]
        return self.transform(image), label


def read(settings: Settings) -> tuple[Pictures, Pictures, Pictures]:
    """Training, validation and test pictures; those to train on are cropped at random."""
    size = settings["size"]
    crop = transforms.RandomResizedCrop(size, scale=(0.5, 1.0), interpolation=BICUBIC)
    normalised = [
        transforms.ToTensor(),
        transforms.Normalize(settings["mean"], settings["std"]),
    ]
    cropped = transforms.Compose([crop, *normalised])
    whole = transforms.Compose(normalised)
    images = Path(settings["images"])
    return (
        Pictures(images / "train", size, cropped),
        Pictures(images / "val", size, whole),
        Pictures(images / "test", size, whole),
    )


def build(settings: Settings, classes: int) -> Any:
    """The frozen model with a new head, and a LoRA around each qkv: a `PeftModel`."""
    model: Any = timm.create_model(settings["arch"], num_classes=classes, **settings["model"])
    head = model.pretrained_cfg["classifier"]
    missing, unknown = model.load_state_dict(load_file(settings["weights"]), strict=False)
    odd = [*unknown, *(name for name in missing if not name.startswith(head))]
    if odd:
        sys.exit(f"the weights do not fit {settings['arch']}: {', '.join(odd[:3])}")
    config = LoraConfig(
        r=settings["rank"],
        lora_alpha=settings["alpha"],
        target_modules=["qkv"],
        modules_to_save=[head],
    )
    return get_peft_model(model, config)


def optimizer_of(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """AdamW of the LoRA and of the head, each at its rate."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    lora = [p for name, p in trained.items() if "lora_" in name]
    head = [p for name, p in trained.items() if "lora_" not in name]
    groups = [
        {"params": lora, "lr": settings["lr"]},
        {"params": head, "lr": settings["head_lr"]},
    ]
    return torch.optim.AdamW(groups, weight_decay=settings["weight_decay"])


def factor(step: int, steps: int, warmup: float) -> float:
    """The share of the highest rate at a step: a linear warm-up, then a cosine down to zero."""
    climb = round(warmup * steps)
    if step < climb:
        return (step + 1) / (climb + 1)
    return 0.5 * (1 + cos(pi * (step - climb) / max(1, steps - climb)))


def learn(
    model: nn.Module,
    batches: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    settings: Settings,
    device: str,
) -> float:
    """One epoch; its mean loss."""
    model.train()
    losses = []
    for images, labels in batches:
        logits = model(images.to(device))
        loss = cross_entropy(logits, labels.to(device), label_smoothing=settings["smoothing"])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings["clip"])
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def evaluate(model: nn.Module, batches: DataLoader, device: str) -> tuple[float, float]:
    """(accuracy, -loss): the higher, the better."""
    model.eval()
    right = loss = count = 0
    for images, labels in batches:
        logits = model(images.to(device)).cpu()
        right += (logits.argmax(dim=1) == labels).sum().item()
        loss += cross_entropy(logits, labels, reduction="sum").item()
        count += len(labels)
    return right / count, -loss / count


def trained_state(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all that is trained."""
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    state = model.state_dict()
    return {name: tensor.clone() for name, tensor in state.items() if name in trained}


@contextmanager
def timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Adds the time inside to the seconds of this part."""
    began = perf_counter()
    yield
    seconds[part] += perf_counter() - began


def main(settings: Settings) -> None:
    """Trains, keeps the state that was best on validation, saves and tests it."""
    seconds: dict[str, float] = defaultdict(float)
    torch.manual_seed(settings["seed"])
    device = settings["device"]
    train, val, test = read(settings)
    model = build(settings, len(train.classes)).to(device)
    epochs = settings["epochs"]
    batches = DataLoader(train, settings["batch"], shuffle=True)
    val_batches = DataLoader(val, settings["test_batch"])
    optimizer = optimizer_of(model, settings)
    steps = epochs * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: factor(step, steps, settings["warmup"])
    )
    every = ceil(epochs / settings["validations"])
    best, state = (-1.0, -inf), {}
    for epoch in range(1, epochs + 1):
        with timed(seconds, "learning_s"):
            loss = learn(model, batches, optimizer, schedule, settings, device)
        if epoch % every and epoch < epochs:
            continue
        with timed(seconds, "validation_s"):
            score = evaluate(model, val_batches, device)
            print(f"epoch {epoch}: loss {loss:.3f}, validation accuracy {score[0]:.3f}")
            if score > best:
                best, state = score, trained_state(model)
    with timed(seconds, "end_s"):
        model.load_state_dict(state, strict=False)
        model.save_pretrained(settings["out"])
        accuracy, _ = evaluate(model, DataLoader(test, settings["test_batch"]), device)
    answer = {"test_accuracy": accuracy, "test_images": len(test), "precision": "fp32"}
    print(json.dumps({**answer, **seconds}))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
