"""What a survey measures and which images it sees; runs that survey."""

import pytest
import torch
from small import images, labels, loaded, random_vit, surveyed
from torch import Tensor
from torch.nn import functional as F

from peft_demo.adapters import AdapterFile, load
from peft_demo.contracts.events import Improved, Started, Stepped, Stopped, Surveyed
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.data.few_shot_tensors import FewShotTensors
from peft_demo.inference import normalize
from peft_demo.methods import find_method
from peft_demo.methods.spt.delta import Config, LowRankEntries
from peft_demo.methods.spt.pieces import budget
from peft_demo.methods.spt.survey import Survey
from peft_demo.training import cost, train

NAMES = ("spt_lora", "spt_adapter")
each_form = pytest.mark.parametrize("name", NAMES)


def test_sensitivity_is_the_sum_over_batches_of_squared_mean_gradients(tiny):
    """Against autograd on a copy, q, k and v taken from the rows of the fused tensor."""
    survey = Survey(LowRankEntries, tiny, Config(), 5, seed=3)
    batches = [(images(4, seed=seed), labels()) for seed in (0, 1)]
    for batch in batches:
        survey.add(*batch)
    twin = random_vit().model.requires_grad_(True)
    expected = {name: torch.zeros_like(p) for name, p in twin.named_parameters()}
    for x, y in batches:
        twin.zero_grad()
        F.cross_entropy(twin(x) @ survey.head.T, y).backward()
        for name, p in twin.named_parameters():
            expected[name] += p.grad**2
    sensitivity = survey.sensitivity()
    attention = "blocks.1.attn.map.qkv"
    for part, role in enumerate(("q", "k", "v")):
        rows = slice(48 * part, 48 * part + 48)
        for leaf in ("weight", "bias"):
            wanted = expected[f"{attention}.{leaf}"][rows]
            assert torch.allclose(sensitivity[f"blocks.1.{role}.{leaf}"], wanted)
    for name, path in (
        ("blocks.0.fc2.weight", "blocks.0.mlp.map.fc2.weight"),
        ("blocks.0.norm1.bias", "blocks.0.attn.norm.bias"),
        ("norm.weight", "norm.weight"),
    ):
        assert torch.allclose(sensitivity[name], expected[path])


def test_the_head_of_the_survey_is_random_seeded_and_small(tiny):
    first, again, other = (
        Survey(LowRankEntries, tiny, Config(), 100, seed).head for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.std().item() == pytest.approx(0.02, rel=0.05)


def test_a_survey_leaves_the_backbone_alone(tiny):
    before = tiny.live_fingerprint()
    surveyed("spt_lora", tiny)
    assert tiny.live_fingerprint() == before
    assert all(p.grad is None and not p.requires_grad for p in tiny.model.parameters())


@each_form
def test_the_same_images_and_seed_give_the_same_allocation(name, tiny):
    first = surveyed(name, tiny).state()
    second = surveyed(name, tiny).state()
    assert list(first) == list(second)
    assert all(torch.equal(first[n], second[n]) for n in first)


def coloured(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """`n` random images [n 3 32 32] of three classes, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 255, (n, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return pixels, torch.arange(n) % 3


def few_shot(n: int = 40) -> FewShotTensors:
    """`n` training images, nine of validation and nine of test."""
    classes = ("red", "green", "blue")
    return FewShotTensors(classes, coloured(n, 0), coloured(9, 1), coloured(9, 2), "split", ())


def spec(name: str = "spt_lora") -> RunSpec:
    recipe = Recipe(epochs=1, batch=20, lr=1e-2)
    return RunSpec(name, {"rank": 2, "budget": 5.0}, DataSpec(shots=14, seed=4), recipe=recipe)


@pytest.fixture
def seen(monkeypatch) -> list[tuple[Tensor, Tensor]]:
    """Every batch that a survey is shown."""
    batches = []
    add = Survey.add

    def watched(survey: Survey, x: Tensor, y: Tensor) -> None:
        batches.append((x, y))
        add(survey, x, y)

    monkeypatch.setattr(Survey, "add", watched)
    return batches


@pytest.mark.parametrize(("images", "sizes"), [(40, [32, 8]), (600, [32] * 16)])
def test_the_survey_sees_training_images_only(images, sizes, tiny, seen):
    """At most 16 batches of 32, each image once, shuffled, with its own label."""
    data = few_shot(images)
    events = list(train(spec(), tiny, data))
    assert [len(y) for _, y in seen] == sizes
    assert events[: len(sizes)] == [Surveyed(i + 1, len(sizes)) for i in range(len(sizes))]
    pixels, classes = data.train
    label_of = {
        x.numpy().tobytes(): int(y) for x, y in zip(normalize(pixels, tiny), classes, strict=True)
    }
    shown = [(x.numpy().tobytes(), int(y)) for batch in seen for x, y in zip(*batch, strict=True)]
    assert all(label_of[x] == y for x, y in shown)
    assert len({x for x, _ in shown}) == len(shown) == sum(sizes)
    assert [y for _, y in shown] != [i % 3 for i in range(len(shown))]


@each_form
def test_a_run_surveys_trains_and_can_be_loaded(name, tiny):
    events = list(train(spec(name), tiny, few_shot()))
    started = next(event for event in events if isinstance(event, Started))
    improved = [event for event in events if isinstance(event, Improved)][-1]
    file = AdapterFile.parse(improved.adapter)
    adapter = load(file, tiny)
    wanted = budget(tiny.anatomy, adapter.config)
    assert started.trainable == events[-1].trainable == adapter.trainable == file.card.trainable
    assert abs(started.trainable - wanted) <= 0.05 * started.trainable
    assert events[-1].unchanged
    assert all(file.card.extra[part] for part in ("sparse", "structured", "vectors"))


def test_a_stop_during_the_survey_ends_it_and_keeps_a_file(tiny, seen):
    events = list(train(spec(), tiny, few_shot(600), stop=lambda: True))
    assert len(seen) == 1
    assert len([event for event in events if isinstance(event, Stepped)]) == 1
    assert isinstance(events[-1], Stopped)
    assert loaded(events[-2].adapter, tiny)


def test_methods_and_costs_say_that_it_is_a_budget(tiny):
    assert [find_method(n).card().budget for n in (*NAMES, "lora")] == [True, True, False]
    assert cost(spec(), tiny.anatomy, 3).budget
    assert not cost(RunSpec("lora"), tiny.anatomy, 3).budget
    assert cost(spec(), tiny.anatomy, 3).trainable == round(0.05 * tiny.parameters)
