"""What a recipe can say to repeat a paper: each of its rarer knobs does what it says."""

import pytest
import torch
from small import SEED, material, new, random_vit
from timm.layers.drop import DropPath
from torch import nn

from peft_demo.adapters import AdapterFile, attach, create
from peft_demo.contracts.events import Evaluated, Finished, Improved, Stepped
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.methods import find_method
from peft_demo.training import train
from peft_demo.training.drop_path import with_drop_path
from peft_demo.training.kept import clearly_worse
from peft_demo.training.optimizer import optimizer
from peft_demo.training.schedule import rate


def run(method="lora", **recipe) -> RunSpec:
    values = {"epochs": 3, "batch": 8, "augment": "none", "lr": 3e-3, "head_lr": 3e-3} | recipe
    return RunSpec(method, data=DataSpec(seed=SEED), recipe=Recipe(**values))


def drops(backbone, adapter) -> list[float]:
    model = attach(backbone, adapter)
    rates = [m.drop_prob or 0.0 for m in model.modules() if isinstance(m, DropPath)]
    return rates + [m.p for m in model.modules() if type(m) is nn.Dropout and m.p]


def test_drop_path_grows_with_depth_and_is_silent_in_answers(tiny):
    deep = random_vit(depth=3)
    adapter = new("lora", deep)
    assert drops(deep, adapter) == []
    assert drops(with_drop_path(deep, 0.4, "branches"), adapter) == [0, 0, 0.2, 0.2, 0.4, 0.4]
    assert drops(with_drop_path(deep, 0.4, "entries"), adapter) == [0.2, 0.2, 0.4, 0.4]
    images = torch.randn(4, 3, 32, 32)
    dropping = attach(with_drop_path(deep, 0.9, "branches"), adapter)
    with torch.no_grad():
        whole = deep.model(images)
        assert torch.equal(attach(deep, adapter).eval()(images), dropping.eval()(images))
        assert not torch.equal(whole, with_drop_path(deep, 0.9, "branches").model.train()(images))
    assert torch.equal(whole, deep.model(images)), "the backbone itself drops nothing"


def test_a_head_alone_does_not_learn_from_cached_features_under_drop_path(tiny):
    losses = []
    for chance in (0.0, 0.9):
        events = train(run("linear", stochastic_depth=chance, epochs=1), tiny, material())
        losses.append([event.loss for event in events if isinstance(event, Stepped)])
    assert losses[0][0] == losses[1][0], "a head that is zero"
    assert losses[0][1:] != losses[1][1:]


@pytest.mark.parametrize(
    ("kind", "mean", "std"), [("half", 0.5, 0.5), ("none", 0.0, 1.0), ("imagenet", 0.485, 0.229)]
)
def test_the_card_keeps_how_images_were_normalised(tiny, kind, mean, std):
    files = [e for e in train(run(normalisation=kind), tiny, material()) if isinstance(e, Improved)]
    card = AdapterFile.parse(files[-1].adapter).card
    assert (card.mean[0], card.std[0]) == (mean, std)
    assert card.spec["recipe"]["normalisation"] == kind


def test_the_last_state_is_kept_even_where_an_earlier_one_was_better(tiny):
    wild = {"lr": 3.0, "head_lr": 3.0, "clip": 0.0, "epochs": 6, "warmup": 0.0}
    for keep, steps in (("best", None), ("auto", None), ("last", 18)):
        events = list(train(run(keep=keep, **wild), tiny, material()))
        ending = next(e for e in events if isinstance(e, Finished))
        checks = [e for e in events if isinstance(e, Evaluated)]
        if keep == "last":
            assert ending.best_step == steps
            assert ending.val_accuracy == checks[-1].accuracy
        elif keep == "best":
            assert ending.val_accuracy == max(e.accuracy for e in checks)
        else:
            highest = max(e.accuracy for e in checks)
            kept = [e for e in checks if not clearly_worse(e.accuracy, highest, e.images)][-1]
            assert (ending.best_step, ending.val_accuracy) == (kept.step, kept.accuracy)


def test_the_rate_begins_and_ends_at_the_lowest():
    assert rate(0.0, 1e-3, 1e-5) == 1e-5 and rate(1.0, 1e-3, 1e-5) == 1e-3
    assert rate(0.5, 1e-3, 0.0) == 5e-4 and rate(0.5, 1e-6, 1e-5) == 1e-6


def test_the_rate_of_a_run_never_falls_below_the_lowest(tiny):
    events = train(run(min_lr=1e-3), tiny, material())
    rates = [event.lr for event in events if isinstance(event, Stepped)]
    assert min(rates) >= 1e-3 and max(rates) <= 3e-3


def test_sgd_takes_steps_with_momentum(tiny):
    adapter = new("lora", tiny)
    chosen = optimizer(adapter, Recipe(lr=0.1, head_lr=0.1, optimizer="sgd"))
    assert type(chosen) is torch.optim.SGD
    assert all(group["momentum"] == 0.9 for group in chosen.param_groups)
    events = list(train(run(optimizer="sgd", lr=0.1, head_lr=0.1), tiny, material()))
    assert events[-1].val_accuracy is not None


def decayed(name: str, backbone, kind: str, **values) -> set[str]:
    adapter = new(name, backbone, **values)
    groups = adapter.groups(Recipe(lr=1, head_lr=1, weight_decay=0.1, decayed=kind))
    taken = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    names = {n.replace("/", ".") for n, p in adapter.named_parameters() if id(p) in taken}
    return {n.removeprefix("deltas.") for n in names}


def test_weight_decay_is_on_what_the_authors_of_rlrr_and_aoft_put_it_on(tiny):
    """s_in, s_out, the patches' SSF and the head, no shift of a linear and no norm; q and λ."""
    names = decayed("rlrr", tiny, "weights")
    leaves = {name.split(".")[-1] for name in names if "patch" not in name}
    assert leaves == {"s_in", "s_out", "weight"}
    assert {n for n in names if "patch" in n} == {"patch.scale", "patch.shift"}
    assert not any("norm" in name for name in names) and "head.bias" not in names
    leaves = {n.split(".")[-1] for n in decayed("aoft_lora", tiny, "weights", scale=True)}
    assert leaves == {"q_down", "q_up", "scale", "weight"}


def test_all_is_all_as_in_arc(tiny):
    adapter = new("arc", tiny)
    assert len(decayed("arc", tiny, "all")) == len(list(adapter.named_parameters()))
    assert {n.split(".")[-1] for n in decayed("arc", tiny, "matrices")} >= {"weight"}


@pytest.mark.parametrize(("start", "std"), [("zero", 0.0), ("normal", 0.02), ("uniform", 0.083)])
def test_heads_start_as_the_recipe_says_and_deltas_as_ever(tiny, start, std):
    lora = find_method("lora")
    adapter = create(lora, lora.config({}), tiny, 50, SEED, head_start=start)
    plain = create(lora, lora.config({}), tiny, 50, SEED)
    assert adapter.head.weight.std().item() == pytest.approx(std, rel=0.1)
    for name, tensor in plain.state().items():
        if not name.startswith("head."):
            assert torch.equal(tensor, adapter.state()[name])


def test_a_spec_says_only_what_is_set():
    plain = RunSpec().to_json()["recipe"]
    assert "normalisation" not in plain and plain["keep"] == "auto"
    spec = run(normalisation="half", stochastic_depth=0.1)
    assert spec.to_json()["recipe"]["stochastic_depth"] == 0.1
    assert RunSpec.from_json(spec.to_json()) == spec
    assert "--normalisation half" in spec.command() and "--stochastic-depth 0.1" in spec.command()
