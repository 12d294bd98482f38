"""SPT: what a survey measures and sees, how marks become an allocation, what stands at a site, what files may say."""

import importlib
from dataclasses import replace

import pytest
import torch
from small import card, images, labels, loaded, random_vit
from torch import nn
from torch.nn import functional as F

from peft_demo.adapters import AdapterFile, attach, create, dump, load, merge, meta_adapter
from peft_demo.contracts.errors import BadAdapter, BadValue
from peft_demo.contracts.events import Improved, Started, Stepped, Stopped, Surveyed
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.data.few_shot_tensors import FewShotTensors
from peft_demo.inference import normalize
from peft_demo.methods import find_method, spt
from peft_demo.methods.spt import (
    Bottleneck,
    Config,
    Entries,
    LowRankEntries,
    Plan,
    SparseLinear,
    Survey,
    Terms,
    allocate,
    budget,
    planned,
)
from peft_demo.training import cost, train
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

TRAIN = importlib.import_module("peft_demo.training.train")
NAMES = ("spt_lora", "spt_adapter")
each_form = pytest.mark.parametrize("name", NAMES)
each_module = pytest.mark.parametrize("module", [LowRankEntries, Bottleneck])


@pytest.fixture(scope="module")
def vit_b():
    return anatomy_of(Source("b", "b", "vit_base_patch16_224"))


def surveyed(name, backbone, seed=0, **knobs):
    """An adapter after a survey of eight random images, one norm of which is made sensitive: all kinds are in it."""
    kind = find_method(name)
    config = kind.config({"rank": 2, "budget": 4.0} | knobs)
    survey = kind.survey(backbone, config, 5, seed)
    survey.add(images(8), labels(8))
    survey.sums["blocks.1.norm2.weight"] += 1.0
    return create(kind, config, backbone, 5, seed, survey.allocation())


def stirred(adapter, by=0.05):
    generator = torch.Generator().manual_seed(1)
    for p in adapter.parameters():
        p.data += by * torch.randn(p.shape, generator=generator)
    return adapter.eval()


# the formulas ----------------------------------------------------------------------------------------------------


def site_at(d_in=6, d_out=8):
    return Site("blocks.0.fc1", "fc1", "blocks.0.mlp.map.fc1", d_in, d_out, 0)


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def filled(delta):
    delta = delta.double().eval()
    for i, p in enumerate(delta.parameters()):
        p.data = random(*p.shape, seed=10 + i)
    return delta


def int32(*values):
    return torch.tensor(values, dtype=torch.int32)


@pytest.mark.parametrize("kind", [Entries, LowRankEntries, Bottleneck])
@pytest.mark.parametrize("whole", [True, False])
def test_the_delta_is_the_papers_formula(kind, whole):
    delta = filled(
        kind(site_at(), Config(rank=3), int32(1, 13, 47), None if whole else int32(0, 7), whole)
    )
    f = nn.Linear(6, 8).double()
    x = random(2, 4, 6)
    W = f.weight.detach().clone()
    b = f.bias.detach().clone()
    for value, (row, column) in zip(delta.entries.detach(), [(0, 1), (2, 1), (7, 5)], strict=True):
        W[row, column] += value
    b[range(8) if whole else [0, 7]] += delta.shift.detach()
    y = x @ W.T + b
    if kind is LowRankEntries:
        y = y + x @ (delta.up @ delta.down).T
    if kind is Bottleneck:
        y = y + F.gelu(y @ delta.down.T + delta.down_bias) @ delta.up.T + delta.up_bias
    assert torch.allclose(delta(f, x), y, atol=1e-12, rtol=0)


def test_a_linear_without_bias_takes_entries():
    delta = filled(Entries(site_at(), Config(), int32(3), None, False))
    f = nn.Linear(6, 8, bias=False)
    x = random(2, 6)
    f = f.double()
    W = f.weight.detach().clone()
    W[0, 3] += delta.entries.item()
    assert torch.allclose(delta(f, x), x @ W.T, atol=1e-12)


def test_the_gradient_of_entries_is_the_dense_one_at_their_places():
    at, x, W, b = (
        torch.tensor([1, 13, 47]),
        *(t.requires_grad_() for t in (random(2, 4, 6), random(8, 6), random(8))),
    )
    values = random(3, seed=5).requires_grad_()
    g = random(2, 4, 8, seed=6)
    dense = F.linear(x, W.flatten().index_add(0, at, values).view(8, 6), b)
    expected = torch.autograd.grad(dense, (x, b, values), g)
    y = SparseLinear.apply(x, W.detach(), b, at, values)
    found = torch.autograd.grad(y, (x, b, values), g)
    assert torch.equal(y, dense)
    assert all(
        torch.allclose(a, b, atol=1e-12, rtol=0) for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("kind", [LowRankEntries, Bottleneck])
def test_a_module_starts_as_nothing_and_learns(kind):
    delta = kind(site_at(), Config(rank=3), None, None, False)
    f = nn.Linear(6, 8)
    x = torch.randn(2, 6)
    assert torch.equal(delta(f, x), f(x)) and delta.up.abs().max() == 0 and delta.down.std() > 0
    delta(f, x).sum().backward()
    assert delta.up.grad.abs().max() > 0
    delta.up.data += 0.1
    delta(f, x).sum().backward()
    assert delta.down.grad.abs().max() > 0


# what can be trained, and the thresholds --------------------------------------------------------------------------


def test_the_survey_ranks_every_tensor_of_the_blocks_and_the_last_norm(vit_b):
    parts = Terms(LowRankEntries, vit_b, Config()).pieces
    assert sum(p.size for p in parts) == 85_056_000
    assert (sum(p.matrix for p in parts), sum(not p.matrix for p in parts)) == (72, 122)
    assert len({p.name for p in parts}) == len(parts)


def marked(vit_b, module, **marks):
    """The plan when the named pieces of block 0 have so many marks."""
    hits = {f"blocks.0.{name.replace('_', '.')}": n for name, n in marks.items()}
    terms = Terms(module, vit_b, Config())
    return planned(terms, [hits.get(p.name, 0) for p in terms.pieces])


@pytest.mark.parametrize(
    ("module", "role", "enough", "cost"),
    [
        (LowRankEntries, "v", 1229, 12_288),
        (LowRankEntries, "proj", 1229, 12_288),
        (LowRankEntries, "fc1", 3072, 30_720),
        (LowRankEntries, "fc2", 3072, 30_720),
        (Bottleneck, "q", 1307, 13_064),
        (Bottleneck, "fc1", 5224, 52_232),
        (Bottleneck, "fc2", 1307, 13_064),
    ],
)
def test_a_matrix_gets_a_module_from_a_tenth_of_its_cost_on(module, role, enough, cost, vit_b):
    below = marked(vit_b, module, **{f"{role}_weight": enough - 1})
    above = marked(vit_b, module, **{f"{role}_weight": enough})
    assert (below.structured, below.entries, below.total) == ((), enough - 1, 768 + enough - 1)
    assert (above.structured, above.entries, above.total) == ((f"blocks.0.{role}",), 0, 768 + cost)


@pytest.mark.parametrize(
    ("name", "enough", "size"),
    [("norm1_weight", 154, 768), ("v_bias", 154, 768), ("fc1_bias", 615, 3072)],
)
def test_a_vector_trains_whole_from_a_fifth_on(name, enough, size, vit_b):
    below, above = (marked(vit_b, LowRankEntries, **{name: n}) for n in (enough - 1, enough))
    sparse = 0 if "norm" in name else enough - 1
    assert (below.vectors, below.total) == ((), 768 + sparse)
    assert (above.vectors, above.total) == ((f"blocks.0.{name.replace('_', '.')}",), 768 + size)


def test_the_budget_on_vit_b(vit_b):
    assert (
        find_method("spt_lora").count(vit_b, Config())
        == budget(vit_b, Config())
        == round(0.00466 * 85_798_656)
    )
    assert 0.39e6 < budget(vit_b, Config()) < 0.41e6
    assert Terms(LowRankEntries, vit_b, Config()).reachable == (
        769,
        768 + 12 * (4 * 12_288 + 2 * 30_720) + 121_344,
    )


# allocation -------------------------------------------------------------------------------------------------------


def flat(anatomy, value=0.0):
    return {
        p.name: torch.full(p.shape, value) for p in Terms(LowRankEntries, anatomy, Config()).pieces
    }


def test_the_most_sensitive_entries_train_where_they_are(tiny):
    sensitivity = flat(tiny.anatomy)
    config = Config(budget=0.2, rank=24)
    spots = {
        "blocks.0.q.weight": [5, 2000],
        "blocks.1.k.bias": [3, 47],
        "blocks.1.fc2.weight": [9000],
    }
    for name, at in spots.items():
        sensitivity[name].view(-1)[at] = torch.arange(1.0, len(at) + 1)
    found = allocate(Terms(LowRankEntries, tiny.anatomy, config), sensitivity)
    assert all(set(at) <= set(found.positions[name].tolist()) for name, at in spots.items())
    assert all(t.dtype == torch.int32 and (t.diff() > 0).all() for t in found.positions.values())
    assert {n: len(t) for n, t in found.positions.items()} == dict(found.sparse)


def test_a_concentrated_sensitivity_gets_modules_and_whole_vectors(tiny):
    sensitivity = flat(tiny.anatomy, 1e-9)
    for name in ("blocks.1.v.weight", "blocks.0.norm2.weight", "blocks.0.proj.bias"):
        sensitivity[name] += 1
    found = allocate(Terms(LowRankEntries, tiny.anatomy, Config(budget=2.0, rank=4)), sensitivity)
    assert "blocks.1.v" in found.structured
    assert {"blocks.0.norm2.weight", "blocks.0.proj.bias"} <= set(found.vectors)
    assert "blocks.1.v.weight" not in found.sparse and "blocks.0.proj.bias" not in found.sparse


@each_form
@pytest.mark.parametrize(
    "knobs", [{}, {"budget": 0.5}, {"budget": 0.3, "rank": 1}, {"budget": 2.0}, {"rank": 8}]
)
def test_after_a_survey_the_total_is_within_five_percent(name, knobs, tiny):
    adapter = surveyed(name, tiny, **knobs)
    wanted = budget(tiny.anatomy, adapter.config)
    assert abs(adapter.trainable - wanted) <= 0.05 * wanted


@each_module
def test_even_sensitivity_of_one_matrix_alone_reaches_the_budget(module, tiny):
    """All marks in one matrix, however many, buy one module: the rest is filled up with entries."""
    sensitivity = flat(tiny.anatomy)
    config = Config(budget=3.0, rank=2)
    sensitivity["blocks.0.fc1.weight"] += torch.rand(192, 48) + 1
    found = allocate(Terms(module, tiny.anatomy, config), sensitivity)
    fixed = 48 + sum(module.cost(tiny.anatomy.sites[s], 2) for s in found.structured)
    assert abs(fixed + sum(found.sparse.values()) - budget(tiny.anatomy, config)) <= 1


def test_no_entry_comes_out_of_what_trains_already(tiny):
    terms = Terms(LowRankEntries, tiny.anatomy, Config())
    *structured, last = [p for p in terms.pieces if p.matrix]
    plan = Plan(
        tuple(p.site.name for p in structured),
        tuple(p.name for p in terms.pieces if not p.matrix),
        0,
        0,
    )
    found = spt._most_sensitive(
        terms, torch.rand(sum(p.size for p in terms.pieces)), plan, last.size + 100
    )
    assert {name: len(at) for name, at in found.items()} == {last.name: last.size}


def test_nothing_sensitive_is_an_error(tiny):
    with pytest.raises(BadValue, match="no sensitive weight"):
        allocate(Terms(LowRankEntries, tiny.anatomy, Config()), flat(tiny.anatomy))
    sensitivity = flat(tiny.anatomy, 1.0)
    sensitivity["blocks.0.q.weight"][0, 0] = float("nan")
    with pytest.raises(BadValue, match="no sensitive weight"):
        allocate(Terms(LowRankEntries, tiny.anatomy, Config()), sensitivity)


@each_form
def test_a_budget_out_of_reach_is_a_sentence_with_the_range(name, tiny, vit_b):
    kind = find_method(name)
    with pytest.raises(
        BadValue, match=r"SPT reaches 769 to 1\d{6} with rank 8.*Set budget from 0.001 to 1\.\d+"
    ):
        kind.build(vit_b, kind.config({"budget": 10.0}))
    wide = replace(tiny.anatomy, tensors=tiny.anatomy.tensors | {"cls_token": (1, 1, 48_000)})
    with pytest.raises(
        BadValue, match=r"a budget of 0.2 % is .* parameters; on .* SPT reaches 48001 to"
    ):
        kind.build(wide, kind.config({"budget": 0.2}))
    with pytest.raises(BadValue, match="SPT reaches 49 to"):
        kind.survey(tiny, replace(Config(), budget=0.01), 5, 0)


@each_form
def test_a_rank_larger_than_the_width_is_a_sentence(name, tiny):
    kind = find_method(name)
    with pytest.raises(BadValue, match="rank 49 is larger than the width 48"):
        create(kind, kind.config({"rank": 49}), tiny, 5, 0)


@each_form
def test_without_a_survey_exactly_the_budget_is_allocated(name, vit_b):
    """Also on the meta device, where nothing is drawn, and at several budgets."""
    kind = find_method(name)
    for percent in (0.2, 0.466, 1.0, 1.5):
        config = kind.config({"budget": percent})
        adapter = meta_adapter(kind, config, vit_b, 10)
        assert adapter.trainable == kind.count(vit_b, config) == round(percent / 100 * 85_798_656)
        assert adapter.extra["structured"] and adapter.extra["sparse"]


# the survey -------------------------------------------------------------------------------------------------------


def test_sensitivity_is_the_sum_over_batches_of_squared_mean_gradients(tiny):
    """Against autograd on a copy, q, k and v taken from the rows of the fused tensor."""
    survey = Survey(LowRankEntries, tiny, Config(), 5, seed=3)
    batches = [(images(4, seed=s), labels()) for s in (0, 1)]
    for batch in batches:
        survey.add(*batch)
    twin = random_vit().model.requires_grad_(True)
    expected = dict.fromkeys(twin.state_dict(), 0.0)
    for x, y in batches:
        twin.zero_grad()
        F.cross_entropy(twin(x) @ survey.head.T, y).backward()
        expected = {n: expected[n] + p.grad**2 for n, p in twin.named_parameters()}
    found = survey.sensitivity()
    for part, name in enumerate(("q", "k", "v")):
        rows = slice(48 * part, 48 * part + 48)
        assert torch.allclose(
            found[f"blocks.1.{name}.weight"], expected["blocks.1.attn.map.qkv.weight"][rows]
        )
        assert torch.allclose(
            found[f"blocks.1.{name}.bias"], expected["blocks.1.attn.map.qkv.bias"][rows]
        )
    assert torch.allclose(found["blocks.0.fc2.weight"], expected["blocks.0.mlp.map.fc2.weight"])
    assert torch.allclose(found["blocks.0.norm1.bias"], expected["blocks.0.attn.norm.bias"])
    assert torch.allclose(found["norm.weight"], expected["norm.weight"])


def test_the_head_of_the_survey_is_random_seeded_and_small(tiny):
    heads = [Survey(LowRankEntries, tiny, Config(), 100, seed).head for seed in (0, 0, 1)]
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])
    assert heads[0].std().item() == pytest.approx(0.02, rel=0.05)


def test_a_survey_leaves_the_backbone_alone(tiny):
    before = tiny.live_fingerprint()
    surveyed("spt_lora", tiny)
    assert tiny.live_fingerprint() == before
    assert all(p.grad is None and not p.requires_grad for p in tiny.model.parameters())


def coloured(n, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(
        0, 255, (n, 3, 32, 32), generator=generator, dtype=torch.uint8
    ), torch.arange(n) % 3


def material(n=40):
    return FewShotTensors(
        ("red", "green", "blue"), coloured(n, 0), coloured(9, 1), coloured(9, 2), "split", ()
    )


def spec(name="spt_lora", **knobs):
    knobs = {"rank": 2, "budget": 5.0} | knobs
    return RunSpec(
        name, knobs, DataSpec(shots=14, seed=4), recipe=Recipe(epochs=1, batch=20, lr=1e-2)
    )


@pytest.fixture
def seen(monkeypatch):
    """Every batch that a survey is shown."""
    batches = []
    add = Survey.add
    monkeypatch.setattr(Survey, "add", lambda self, x, y: batches.append((x, y)) or add(self, x, y))
    return batches


@pytest.mark.parametrize(("images", "sizes"), [(40, [32, 8]), (600, [32] * 16)])
def test_the_survey_sees_training_images_only(images, sizes, tiny, seen):
    """At most 16 batches of 32, each image once, shuffled, with its own label; validation and test never."""
    data = material(images)
    events = list(train(spec(), tiny, data))
    assert [len(y) for _, y in seen] == sizes
    assert events[: len(sizes)] == [Surveyed(i + 1, len(sizes)) for i in range(len(sizes))]
    known = zip(normalize(data.train[0], tiny), data.train[1], strict=True)
    train_images = {x.numpy().tobytes(): int(y) for x, y in known}
    shown = [(x.numpy().tobytes(), int(y)) for xs, ys in seen for x, y in zip(xs, ys, strict=True)]
    assert all(train_images[x] == y for x, y in shown)
    assert len({x for x, _ in shown}) == len(shown) == sum(sizes)
    assert [y for _, y in shown] != [i % 3 for i in range(len(shown))]


@each_form
def test_a_run_surveys_trains_and_can_be_loaded(name, tiny):
    events = list(train(spec(name), tiny, material()))
    started = next(e for e in events if isinstance(e, Started))
    file = AdapterFile.parse([e for e in events if isinstance(e, Improved)][-1].adapter)
    adapter = load(file, tiny)
    about = file.card
    assert started.trainable == events[-1].trainable == adapter.trainable == about.trainable
    assert abs(started.trainable - budget(tiny.anatomy, adapter.config)) <= 0.05 * started.trainable
    assert (
        events[-1].unchanged
        and about.extra["sparse"]
        and about.extra["structured"]
        and about.extra["vectors"]
    )


def test_a_stop_during_the_survey_ends_it_and_keeps_a_file(tiny, seen):
    events = list(train(spec(), tiny, material(600), stop=lambda: True))
    assert len(seen) == 1 and len([e for e in events if isinstance(e, Stepped)]) == 1
    assert isinstance(events[-1], Stopped) and loaded(events[-2].adapter, tiny)


def test_methods_and_costs_say_that_it_is_a_budget(tiny):
    assert [find_method(n).card().budget for n in (*NAMES, "lora")] == [True, True, False]
    assert (
        cost(spec(), tiny.anatomy, 3).budget and not cost(RunSpec("lora"), tiny.anatomy, 3).budget
    )
    assert cost(spec(), tiny.anatomy, 3).trainable == round(0.05 * tiny.parameters)


# the laws again, after a survey that gave all three kinds -----------------------------------------------------------


@each_form
def test_after_a_survey_all_kinds_are_there_and_it_starts_as_identity(name, tiny):
    adapter = surveyed(name, tiny)
    kinds = {type(d) for d in adapter.by_site().values()}
    assert kinds == {Entries, LowRankEntries if name == "spt_lora" else Bottleneck}
    assert set(adapter.replaced()) == {"cls_token", "blocks.1.norm2.weight"}
    shifts = [d for d in adapter.by_site().values() if d.shift is not None]
    assert any(d.shift_at is None for d in shifts) and any(d.shift_at is not None for d in shifts)
    with torch.no_grad():
        adapted = attach(tiny, adapter).eval()
        features = adapted.forward_head(adapted.forward_features(images()), pre_logits=True)
        assert torch.allclose(features, tiny.model(images()), atol=1e-5)


@each_form
def test_after_a_survey_every_tensor_learns(name, tiny):
    torch.manual_seed(0)
    adapter = surveyed(name, tiny)
    model = attach(tiny, adapter).train()
    reached = set()
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(images()), labels()).backward()
        reached |= {
            n
            for n, p in adapter.named_parameters()
            if p.grad is not None and p.grad.abs().max() > 0
        }
        optimizer.step()
    assert reached == {n for n, _ in adapter.named_parameters()}


def test_after_a_survey_merged_equals_attached(tiny):
    adapter = stirred(surveyed("spt_lora", tiny)).double()
    backbone = random_vit()
    backbone.model.double()
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(images().double())
        merged = merge(backbone, adapter).eval()(images().double())
    assert (attached - merged).abs().max() <= 1e-10


@each_form
def test_after_a_survey_a_file_answers_bit_for_bit(name, tiny):
    adapter = stirred(surveyed(name, tiny))
    again = loaded(dump(adapter, about(adapter, tiny)), tiny)
    with torch.no_grad():
        assert torch.equal(
            attach(tiny, adapter).eval()(images()), attach(tiny, again).eval()(images())
        )


@each_form
def test_after_a_survey_it_compiles_in_one_full_graph(name, tiny):
    torch._dynamo.reset()
    model = attach(tiny, stirred(surveyed(name, tiny))).eval()
    with torch.no_grad():
        compiled = torch.compile(model, backend="eager", fullgraph=True)(images())
        assert torch.allclose(compiled, model(images()), atol=1e-5)


@each_form
def test_the_same_images_and_seed_give_the_same_allocation(name, tiny):
    first, second = (surveyed(name, tiny).state() for _ in range(2))
    assert all(torch.equal(first[n], second[n]) for n in first) and list(first) == list(second)


BACKBONES = {
    "registers": {"reg_tokens": 4},
    "no class token": {"class_token": False, "global_pool": "avg"},
    "layer scale": {"init_values": 0.1},
    "norms of q and k": {"qk_norm": True},
    "no bias at qkv": {"qkv_bias": False},
}


@pytest.mark.parametrize("kind", BACKBONES)
def test_other_backbones_are_surveyed_too(kind):
    backbone = random_vit(**BACKBONES[kind])
    config = Config(budget=4.0, rank=2)
    survey = Survey(LowRankEntries, backbone, config, 5, 0)
    survey.add(images(8), labels(8))
    adapter = stirred(create(find_method("spt_lora"), config, backbone, 5, 0, survey.allocation()))
    assert abs(adapter.trainable - budget(backbone.anatomy, config)) <= 0.05 * adapter.trainable
    assert ("cls_token" in adapter.replaced()) == (backbone.anatomy.prefix > 0)
    with torch.no_grad():
        attached = attach(backbone, adapter).eval()(images())
        merged = merge(backbone, adapter).eval()(images())
    assert (attached - merged).abs().max() <= 1e-5 * attached.abs().max()


def test_it_trains_in_half_precision(tiny):
    """As on a GPU: bfloat16 activations, fp32 parameters, gradients in fp32."""
    adapter = surveyed("spt_lora", tiny)
    model = attach(tiny, stirred(adapter)).train()
    with torch.autocast("cpu", torch.bfloat16):
        out = model(images())
    F.cross_entropy(out.float(), labels()).backward()
    assert all(
        p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in adapter.parameters()
    )


def about(adapter, backbone):
    return replace(card(adapter, backbone), extra=adapter.extra)


# hostile files ----------------------------------------------------------------------------------------------------


def worst(at):
    at[-1] = 2**31 - 1


def negative(at):
    at[0] = -1


def twice(at):
    at[1] = at[0]


@pytest.mark.parametrize("spoil", [worst, negative, twice])
@pytest.mark.parametrize("buffer", ["entries_at", "shift_at"])
def test_positions_out_of_range_are_refused(spoil, buffer, tiny):
    adapter = surveyed("spt_lora", tiny)
    spoil(next(b for n, b in adapter.named_buffers() if n.endswith(buffer) and len(b) > 1))
    with pytest.raises(BadAdapter, match=f"{buffer} holds positions that are not ascending"):
        loaded(dump(adapter, about(adapter, tiny)), tiny)


EXTRAS = {
    "an unknown site": lambda e: e.update(structured=["blocks.9.q"]),
    "no site but a branch": lambda e: e.update(structured=["blocks.0.mlp"]),
    "a matrix as a vector": lambda e: e.update(vectors=["blocks.0.attn.proj.weight"]),
    "more entries than there are": lambda e: e["sparse"].update({"blocks.0.q.weight": 48 * 48 + 1}),
    "negative entries": lambda e: e["sparse"].update({"blocks.0.q.weight": -1}),
    "half an entry": lambda e: e["sparse"].update({"blocks.0.q.weight": 1.5}),
    "entries of a norm": lambda e: e["sparse"].update({"norm.weight": 1}),
    "a number for a list": lambda e: e.update(structured=3),
    "lists of lists": lambda e: e.update(vectors=[[]]),
    "no list at all": lambda e: e.pop("vectors"),
    "one entry fewer than the file": lambda e: e.update(
        sparse={n: k - 1 for n, k in e["sparse"].items() if k > 1}
    ),
}


@pytest.mark.parametrize("case", EXTRAS)
def test_a_hostile_allocation_is_refused(case, tiny):
    adapter = surveyed("spt_lora", tiny)
    extra = {k: v.copy() for k, v in adapter.extra.items()}
    EXTRAS[case](extra)
    with pytest.raises(BadAdapter):
        loaded(dump(adapter, replace(about(adapter, tiny), extra=extra)), tiny)


def test_an_allocation_on_the_card_of_another_method_means_nothing(tiny):
    kind = find_method("lora")
    adapter = create(kind, kind.config(), tiny, 5, 0)
    assert loaded(
        dump(adapter, replace(about(adapter, tiny), extra={"structured": ["evil"]})), tiny
    )
