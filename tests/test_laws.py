"""The laws of the house, over every method: a new file in `peft_demo/methods` is tested at once."""

import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load as parse
from small import (
    SEED,
    card,
    disturbed,
    fitted,
    images,
    labels,
    logits,
    material,
    new,
    random_vit,
    trained,
)
from torch import Tensor, nn
from torch.nn import functional as F

from peft_demo.adapters import (
    Adapter,
    AdapterFile,
    attach,
    create,
    dump,
    load,
    merge,
    take_over,
    without_head,
)
from peft_demo.adapters.codec import codecs
from peft_demo.adapters.merge import probe
from peft_demo.contracts.errors import CannotMerge
from peft_demo.contracts.events import (
    Checkpointed,
    Evaluated,
    Event,
    Improved,
    Resumed,
    Stepped,
)
from peft_demo.contracts.families import FAMILIES
from peft_demo.contracts.knobs import Knob, knobs
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.methods import methods
from peft_demo.training import train
from peft_demo.vit import Backbone, Seam

METHODS = sorted(methods())

each_method = pytest.mark.parametrize("name", METHODS)


@each_method
def test_it_stands_in_a_family_and_its_jargon_under_advanced(name):
    """A newcomer finds every method among its relatives, and is not asked for roles of sites (q, k,
    v …) before opening Advanced.
    """
    method = methods()[name]
    assert method.family in FAMILIES
    assert all(knob.advanced for knob in knobs(method.Config) if knob.kind == "choices")


@each_method
def test_1_attaching_and_training_leave_the_backbone_bit_identical(name: str, tiny: Backbone):
    """Law 1: attaching an adapter, and training it, leaves the backbone's output and tensors
    bit-identical."""
    x = images()
    before = tiny.live_fingerprint()
    with torch.no_grad():
        features = tiny.model(x)
    trained(name, tiny)
    assert tiny.live_fingerprint() == before
    with torch.no_grad():
        assert torch.equal(tiny.model(x), features)


@each_method
def test_2_a_method_that_says_it_starts_as_identity_does(name: str, tiny: Backbone):
    """Law 2: with the head taken away, a new adapter gives the frozen features exactly when its
    record says so."""
    adapter = new(name, tiny).eval()
    model = attach(tiny, adapter)
    with torch.no_grad():
        adapted = model.forward_head(model.forward_features(images()), pre_logits=True)
        moved = (adapted - tiny.model(images())).abs().max().item()
    assert (moved < 1e-5) == adapter.method.identity(adapter.config), moved


@each_method
def test_3_every_adapter_tensor_gets_a_gradient_and_no_frozen_one_does(name: str, tiny: Backbone):
    """Law 3: within three backward passes every tensor of the adapter has had a gradient; frozen
    tensors never do."""
    torch.manual_seed(SEED)
    adapter = new(name, tiny)
    model = attach(tiny, adapter).train()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.5)
    reached = set()
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(images()), labels()).backward()
        reached |= with_gradient(adapter)
        optimizer.step()
    assert reached == {name for name, _ in adapter.named_parameters()}
    assert all(p.grad is None and not p.requires_grad for p in tiny.model.parameters())


@each_method
def test_4_a_saved_adapter_loads_back_with_bit_equal_logits(
    name: str, tiny: Backbone, tmp_path: Path
):
    """Law 4: save → load → bit-equal logits."""
    adapter = trained(name, tiny)
    file = tmp_path / "a.safetensors"
    file.write_bytes(dump(adapter, card(adapter, tiny)))
    loaded = load(AdapterFile.open(file), tiny)
    assert torch.equal(logits(tiny, loaded), logits(tiny, adapter))


@each_method
@pytest.mark.parametrize("double", [True, False], ids=["float64", "float32"])
def test_5_merged_equals_attached_and_merges_precisely_when_the_record_says_so(
    name: str, double: bool
):
    """Law 5: merged equals attached within 1e-5 in float64 and within 1e-5 · max|logit| in float32;
    else refuses."""
    backbone = random_vit()
    adapter = disturbed(new(name, backbone))
    x = images()
    if double:
        adapter = adapter.double()
        x = x.double()
        backbone = replace(backbone, model=deepcopy(backbone.model).double())
    if not adapter.method.merges(adapter.config):
        with pytest.raises(CannotMerge):
            merge(backbone, adapter)
        return
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(x)
        merged = merge(backbone, adapter).eval()(x)
    largest = 1.0 if double else attached.abs().max().clamp(min=1.0)
    assert (attached - merged).abs().max() <= 1e-5 * largest


@each_method
def test_5_a_low_rank_form_is_what_the_delta_does(name: str):
    """Law 5, closed form: a delta that gives a product and a shift adds just these to its linear,
    in float64."""
    backbone = random_vit()
    adapter = disturbed(new(name, backbone)).double()
    for site, delta in adapter.by_site().items():
        f = linear_at(backbone, site)
        x = torch.randn(2, 17, f.in_features, dtype=torch.float64)
        added = delta.low_rank(f)
        if added is None:
            continue
        shift = 0.0 if added.shift is None else added.shift
        expected = f(x) + x @ added.down.T @ added.up.T + shift
        assert torch.allclose(delta(f, x), expected, atol=1e-12)


@each_method
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_5_a_product_folded_into_its_weight_learns_alike(
    name: str, bf16: bool, tiny: Backbone, monkeypatch: pytest.MonkeyPatch
):
    """Law 5, folded: while a model learns, its loss and gradients are those of the deltas as they
    are written."""
    adapter = disturbed(new(name, tiny))
    folded = loss_and_gradients(adapter, tiny, bf16)
    monkeypatch.setattr(Seam, "product", lambda *_: None)
    written = loss_and_gradients(adapter, tiny, bf16)
    tolerance = 0.1 if bf16 else 1e-4
    for own, expected in zip(folded, written, strict=True):
        assert (own - expected).norm() <= tolerance * expected.norm() + 1e-6


@each_method
def test_5_a_merged_form_is_what_the_probe_finds(name: str):
    """Law 5, closed form: W' and b' that a delta gives are those the probe finds, in float64."""
    backbone = random_vit()
    adapter = disturbed(new(name, backbone)).double()
    for site, delta in adapter.by_site().items():
        f = linear_at(backbone, site)
        with torch.no_grad():
            closed = delta.merged(f)
        if closed is None:
            continue
        for given, probed in zip(closed, probe(delta, f), strict=True):
            assert torch.allclose(given, probed, atol=1e-12), site


@each_method
def test_6_the_file_holds_the_adapter_and_head_and_nothing_else(name: str, tiny: Backbone):
    """Law 6: no tensor of the backbone is in the file but those the adapter replaces, which the
    card lists."""
    adapter = new(name, tiny)
    tensors = parse(dump(adapter, card(adapter, tiny)))
    assert sum(t.nbytes for t in tensors.values()) == stored(adapter)
    frozen = {numbers(t) for t in tiny.model.state_dict().values() if t.numel() > 1}
    copies = {n for n, t in tensors.items() if numbers(t) in frozen and t.any()}
    names = {name.removeprefix("tensors.").replace("/", ".") for name in copies}
    assert names <= set(adapter.replaced())


@each_method
def test_7_it_compiles_in_one_full_graph(name: str, tiny: Backbone):
    """Law 7: the attached model compiles as one full graph and answers the same."""
    torch._dynamo.reset()
    model = attach(tiny, disturbed(new(name, tiny))).eval()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(compiled(images()), model(images()), atol=1e-5)


@pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="Inductor needs a C++ compiler"
)
def test_7_an_attached_model_compiles_with_inductor(tiny: Backbone):
    """Law 7, beside it: one adapted model through the real compiler."""
    torch._dynamo.reset()
    model = attach(tiny, disturbed(new("lora", tiny))).eval()
    compiled = torch.compile(model, fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(compiled(images()), model(images()), atol=1e-4)


@each_method
def test_8_the_trainable_count_equals_the_closed_form(name: str, tiny: Backbone):
    """Law 8: the number of trainable parameters is the record's closed form."""
    adapter = new(name, tiny)
    assert adapter.trainable == adapter.method.count(tiny.anatomy, adapter.config)
    learned = sum(p.numel() for p in adapter.parameters() if p.requires_grad)
    assert learned == adapter.trainable + adapter.head_parameters


@each_method
def test_9_same_seed_same_bits(name: str, tiny: Backbone):
    """Law 9: the same seed gives the same bits (one machine, one thread count)."""
    first = trained(name, tiny).state()
    second = trained(name, tiny).state()
    assert all(torch.equal(first[n], second[n]) for n in first)


def ends() -> list[tuple[str, Knob, int]]:
    """Every knob of every method, at its lower and at its upper end."""
    pairs = [(name, knob) for name in METHODS for knob in knobs(methods()[name].Config)]
    return [(name, knob, end) for name, knob in pairs for end in (0, 1)]


@pytest.mark.parametrize(("name", "knob", "end"), ends(), ids=lambda v: getattr(v, "name", str(v)))
def test_10_both_ends_of_every_knob_build_and_run(name: str, knob: Knob, end: int):
    """Law 10: a method builds and runs with each knob at either end."""
    backbone = random_vit(depth=1, width=144 if knob.name == "rank" else 48)
    adapter = trained(name, backbone, steps=1, lr=1e-4, **{knob.name: knob.ends()[end]})
    assert torch.isfinite(logits(backbone, adapter)).all()


@pytest.fixture(scope="module")
def neighbours(tiny: Backbone) -> dict[str, tuple[nn.Module, Tensor]]:
    """Every method attached at once, after others ran and trained beside it: name → (model, its
    first answer)."""
    models = {name: attach(tiny, disturbed(new(name, tiny))).eval() for name in METHODS}
    with torch.no_grad():
        first = {name: model(images()) for name, model in models.items()}
    for name in METHODS:
        attach(tiny, disturbed(new(name, tiny), seed=2)).train()(images())
        trained(name, tiny, seed=SEED + 2)
    return {name: (models[name], first[name]) for name in METHODS}


@each_method
def test_11_models_attached_at_once_do_not_disturb_each_other(name: str, neighbours):
    """Law 11: adapters that are attached, run and trained beside one change nothing in its
    answers."""
    model, first = neighbours[name]
    with torch.no_grad():
        assert torch.equal(model(images()), first)


SITUATIONS = [
    *((name, {}, {}) for name in METHODS),
    ("lora", {}, {"augment": "crop+flip"}),
    ("linear", {}, {"augment": "crop+flip", "smoothing": 0.1}),
    ("spt_lora", {"dropout": 0.3}, {"augment": "crop"}),
    ("bi_lora", {"head_bits": 1}, {"batch": 20}),
    ("lora", {}, {"balance": "sampling"}),
    ("lora", {}, {"patience": 1, "epochs": 6, "lr": 1.0}),
]
"""(method, knobs, recipe): what may draw, cache or survey in a run."""


@pytest.mark.parametrize(("name", "values", "recipe"), SITUATIONS)
def test_13_a_run_that_is_killed_and_resumed_ends_with_the_same_bits(
    name: str, values: dict, recipe: dict, tiny: Backbone
):
    """Law 13: a run that dies at any moment and goes on from its last checkpoint tells the same
    from there on, and ends with the bits of one that was not interrupted."""
    run = short_run(name, tiny, values, recipe)
    whole = list(train(run, tiny, material()))
    moments = random.Random(f"{name} {recipe}").randrange(1, len(whole))
    state = b""
    step = 0
    for event in islice(train(run, tiny, material()), moments):
        if isinstance(event, Checkpointed):
            step = event.step
            state = event.state()
    torch.rand(7)
    rest = list(train(run, tiny, material(), state=state))
    if state:
        (resumed,) = [event for event in rest if isinstance(event, Resumed)]
        assert resumed.step == step
    assert told(rest) == told(whole)[len(told(whole)) - len(told(rest)) :]
    first = last_adapter(whole)
    second = last_adapter(rest)
    assert same_tensors(first.tensors(), second.tensors())
    for field in ("curve", "accuracy_curve", "test_accuracy", "val_accuracy", "extra"):
        assert getattr(first.card, field) == getattr(second.card, field)


def short_run(name: str, backbone: Backbone, values: dict, recipe: dict) -> RunSpec:
    """Three epochs of two steps, each validated."""
    knobs = {**fitted(methods()[name], backbone), **values}
    data = DataSpec(seed=SEED, shots=8)
    return RunSpec(name, knobs, data, recipe=Recipe(**{"epochs": 3, "batch": 12} | recipe))


def told(events: Sequence[Event]) -> list[tuple]:
    """What a run tells of its learning, without times and memory."""
    return [(event.step, event.loss) for event in events if isinstance(event, Stepped | Evaluated)]


def last_adapter(events: Sequence[Event]) -> AdapterFile:
    files = [event.adapter for event in events if isinstance(event, Improved)]
    return AdapterFile.parse(files[-1])


def same_tensors(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """A number of threads for torch, set for as long as the test lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_15_constants_come_back_from_their_seed(threads: int, tiny: Backbone):
    """Law 15: a file leaves out the constants that a seed gives; they come back bit-equal on any
    thread count."""
    adapter = disturbed(new("vera", tiny))
    expected = logits(tiny, adapter)
    file = dump(adapter, card(adapter, tiny))
    assert {name.rpartition(".")[2] for name in parse(file)} == {"d", "b", "weight", "bias"}
    torch.set_num_threads(2)
    torch.rand(1)
    loaded = load(AdapterFile.parse(file), tiny)
    for site, delta in loaded.by_site().items():
        assert torch.equal(delta.A, adapter.by_site()[site].A)
        assert torch.equal(delta.B, adapter.by_site()[site].B)
    torch.set_num_threads(threads)
    assert torch.equal(logits(tiny, loaded), expected)


def test_15_constants_follow_their_own_seed_and_not_the_run_s(tiny: Backbone):
    """Law 15, beside it: the seed is a knob of the method, so the card keeps it."""

    first = new("vera", tiny, seed=0).by_site()["blocks.1.q"]
    other_run = new("vera", tiny, seed=1).by_site()["blocks.1.q"]
    other_knob = new("vera", tiny, seed=0, projection_seed=8).by_site()["blocks.1.q"]
    assert torch.equal(first.A, other_run.A)
    assert not torch.equal(first.A, other_knob.A)


def gone_on(earlier: Adapter, tiny: Backbone, classes: str) -> Adapter:
    """A new adapter for these classes, one a letter, that goes on from the file of another."""
    file = AdapterFile.parse(dump(earlier, card(earlier, tiny)))
    method = earlier.method
    adapter = create(method, earlier.config, tiny, len(classes), SEED + 1, file.card.extra)
    take_over(adapter, classes, load(file, tiny), file.card.classes)
    return adapter.eval()


@each_method
def test_16_what_goes_on_from_an_adapter_starts_with_its_answers(name: str, tiny: Backbone):
    """Law 16: a new adapter that takes over an earlier one answers as that one, for the classes
    that both know; a new class starts at zero. Bit for bit, but where weights are quantised."""
    earlier = trained(name, tiny)
    expected = logits(tiny, earlier)
    close = {"rtol": 1e-4, "atol": 1e-4} if codecs(earlier) else {"rtol": 0, "atol": 0}
    torch.testing.assert_close(logits(tiny, gone_on(earlier, tiny, "abcde")), expected, **close)
    other = logits(tiny, gone_on(earlier, tiny, "dxb"))
    # A head of fewer rows may be multiplied in another order.
    torch.testing.assert_close(other[:, [0, 2]], expected[:, [3, 1]], rtol=1e-4, atol=1e-4)
    assert not other[:, 1].any()


def linear_at(backbone: Backbone, site: str) -> nn.Linear:
    """A random linear of the shape that a site's map has, in float64."""
    shape = backbone.anatomy.sites[site]
    return nn.Linear(shape.d_in, shape.d_out, dtype=torch.float64)


def loss_and_gradients(adapter: Adapter, backbone: Backbone, bf16: bool) -> list[Tensor]:
    """Of one pass there and back while the adapter learns, from the same chance."""
    torch.manual_seed(SEED)
    adapter.zero_grad(set_to_none=True)
    model = attach(backbone, adapter).train()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = F.cross_entropy(model(images()).float(), labels())
    loss.backward()
    return [loss.detach(), *(p.grad.clone() for p in adapter.parameters() if p.grad is not None)]


def with_gradient(module: nn.Module) -> set[str]:
    """Names of the parameters whose gradient is not zero."""
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    return {name for name, gradient in gradients.items() if gradient.any()}


def stored(adapter: Adapter) -> int:
    """Bytes of an adapter's tensors: 4 a number, or what its codec says and 8 for its
    statistics."""
    codec_of = codecs(adapter)
    total = 0
    for name, tensor in adapter.state().items():
        quantised = name in codec_of
        total += codec_of[name].size(tensor.shape) + 8 if quantised else 4 * tensor.numel()
    return total


def numbers(tensor: Tensor) -> tuple[float, ...]:
    return tuple(tensor.flatten().tolist())


@each_method
def test_17_at_no_strength_the_backbone_is_frozen_and_at_full_strength_nothing_changes(
    name: str, tiny: Backbone
):
    """Law 17: what an adapter adds can be scaled, from nothing to all of it."""
    adapter = disturbed(new(name, tiny))
    x = images()
    with torch.no_grad():
        none = without_head(attach(tiny, adapter, 0.0).eval(), tiny.anatomy)(x)
        half = attach(tiny, adapter, 0.5).eval()(x)
        full = attach(tiny, adapter, 1.0).eval()(x)
        assert torch.allclose(none, tiny.model(x), atol=1e-5)
    assert torch.equal(full, logits(tiny, adapter))
    assert half.isfinite().all()
    scales = name != "linear"
    assert torch.equal(half, full) != scales
