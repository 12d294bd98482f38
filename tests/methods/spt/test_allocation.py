"""How marks become an allocation, what the budget buys, and which budgets are refused."""

from dataclasses import replace

import pytest
import torch
from small import surveyed
from torch import Tensor

from peft_demo.adapters import create, meta_adapter
from peft_demo.contracts.errors import BadValue
from peft_demo.methods import find_method
from peft_demo.methods.spt.allocation import Plan, allocate, most_sensitive, planned
from peft_demo.methods.spt.delta import Bottleneck, Config, LowRankEntries
from peft_demo.methods.spt.pieces import Terms, budget
from peft_demo.vit import Anatomy

each_form = pytest.mark.parametrize("name", ["spt_lora", "spt_adapter"])
each_module = pytest.mark.parametrize("module", [LowRankEntries, Bottleneck])


def test_the_survey_ranks_every_tensor_of_the_blocks_and_the_last_norm(vit_b):
    pieces = Terms(LowRankEntries, vit_b, Config()).pieces
    assert sum(p.size for p in pieces) == 85_056_000
    assert sum(p.matrix for p in pieces) == 72
    assert sum(not p.matrix for p in pieces) == 122
    assert len({p.name for p in pieces}) == len(pieces)


def marked(vit_b: Anatomy, module, **marks: int) -> Plan:
    """The plan when the named pieces of block 0 have so many marks."""
    marks_of = {f"blocks.0.{name.replace('_', '.')}": count for name, count in marks.items()}
    terms = Terms(module, vit_b, Config())
    return planned(terms, [marks_of.get(piece.name, 0) for piece in terms.pieces])


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
    below = marked(vit_b, LowRankEntries, **{name: enough - 1})
    above = marked(vit_b, LowRankEntries, **{name: enough})
    sparse = 0 if "norm" in name else enough - 1
    assert (below.vectors, below.total) == ((), 768 + sparse)
    assert (above.vectors, above.total) == ((f"blocks.0.{name.replace('_', '.')}",), 768 + size)


def test_the_budget_on_vit_b(vit_b):
    wanted = budget(vit_b, Config())
    assert find_method("spt_lora").count(vit_b, Config()) == wanted
    assert wanted == round(0.00466 * 85_798_656)
    assert 0.39e6 < wanted < 0.41e6
    modules = 12 * (4 * 12_288 + 2 * 30_720)
    reachable = Terms(LowRankEntries, vit_b, Config()).reachable
    assert reachable == (769, 768 + modules + 121_344)


def flat(anatomy: Anatomy, value: float = 0.0) -> dict[str, Tensor]:
    """The same sensitivity everywhere."""
    pieces = Terms(LowRankEntries, anatomy, Config()).pieces
    return {piece.name: torch.full(piece.shape, value) for piece in pieces}


def test_the_most_sensitive_entries_train_where_they_are(tiny):
    sensitivity = flat(tiny.anatomy)
    spots = {
        "blocks.0.q.weight": [5, 2000],
        "blocks.1.k.bias": [3, 47],
        "blocks.1.fc2.weight": [9000],
    }
    for name, at in spots.items():
        sensitivity[name].view(-1)[at] = torch.arange(1.0, len(at) + 1)
    terms = Terms(LowRankEntries, tiny.anatomy, Config(budget=0.2, rank=24))
    allocation = allocate(terms, sensitivity)
    for name, at in spots.items():
        assert set(at) <= set(allocation.positions[name].tolist())
    for at in allocation.positions.values():
        assert at.dtype == torch.int32
        assert (at.diff() > 0).all()
    assert {n: len(at) for n, at in allocation.positions.items()} == dict(allocation.sparse)


def test_a_concentrated_sensitivity_gets_modules_and_whole_vectors(tiny):
    sensitivity = flat(tiny.anatomy, 1e-9)
    for name in ("blocks.1.v.weight", "blocks.0.norm2.weight", "blocks.0.proj.bias"):
        sensitivity[name] += 1
    terms = Terms(LowRankEntries, tiny.anatomy, Config(budget=2.0, rank=4))
    allocation = allocate(terms, sensitivity)
    assert "blocks.1.v" in allocation.structured
    assert {"blocks.0.norm2.weight", "blocks.0.proj.bias"} <= set(allocation.vectors)
    assert "blocks.1.v.weight" not in allocation.sparse
    assert "blocks.0.proj.bias" not in allocation.sparse


def test_as_many_numbers_as_lora(vit_b):
    """Of the same rank, whatever the budget says."""
    assert budget(vit_b, Config(as_lora=True)) == 294_912
    assert budget(vit_b, Config(as_lora=True, budget=2.0, rank=4)) == 147_456


@each_form
@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"budget": 0.5},
        {"budget": 0.3, "rank": 1},
        {"budget": 2.0},
        {"rank": 8},
        {"as_lora": True},
    ],
)
def test_after_a_survey_the_total_is_within_five_percent(name, knobs, tiny):
    adapter = surveyed(name, tiny, **knobs)
    wanted = budget(tiny.anatomy, adapter.config)
    assert abs(adapter.trainable - wanted) <= 0.05 * wanted


@each_module
def test_even_sensitivity_of_one_matrix_alone_reaches_the_budget(module, tiny):
    """All marks in one matrix buy one module, however many: entries fill up the rest."""
    sensitivity = flat(tiny.anatomy)
    sensitivity["blocks.0.fc1.weight"] += torch.rand(192, 48) + 1
    config = Config(budget=3.0, rank=2)
    allocation = allocate(Terms(module, tiny.anatomy, config), sensitivity)
    modules = sum(module.cost(tiny.anatomy.sites[site], 2) for site in allocation.structured)
    total = 48 + modules + sum(allocation.sparse.values())
    assert abs(total - budget(tiny.anatomy, config)) <= 1


def test_no_entry_comes_out_of_what_trains_already(tiny):
    terms = Terms(LowRankEntries, tiny.anatomy, Config())
    *structured, last = [piece for piece in terms.pieces if piece.matrix]
    sites = tuple(piece.site.name for piece in structured)
    vectors = tuple(piece.name for piece in terms.pieces if not piece.matrix)
    scores = torch.rand(sum(piece.size for piece in terms.pieces))
    positions = most_sensitive(terms, scores, Plan(sites, vectors, 0, 0), last.size + 100)
    assert {name: len(at) for name, at in positions.items()} == {last.name: last.size}


def test_nothing_sensitive_is_an_error(tiny):
    terms = Terms(LowRankEntries, tiny.anatomy, Config())
    with pytest.raises(BadValue, match="no sensitive weight"):
        allocate(terms, flat(tiny.anatomy))
    sensitivity = flat(tiny.anatomy, 1.0)
    sensitivity["blocks.0.q.weight"][0, 0] = float("nan")
    with pytest.raises(BadValue, match="no sensitive weight"):
        allocate(terms, sensitivity)


@each_form
def test_a_budget_out_of_reach_is_a_sentence_with_the_range(name, tiny, vit_b):
    method = find_method(name)
    with pytest.raises(
        BadValue, match=r"SPT reaches 769 to 1\d{6} with rank 8.*Set budget from 0.001 to 1\.\d+"
    ):
        method.build(vit_b, method.config({"budget": 10.0}))
    wide = replace(tiny.anatomy, tensors=tiny.anatomy.tensors | {"cls_token": (1, 1, 48_000)})
    with pytest.raises(
        BadValue, match=r"a budget of 0.2 % is .* parameters; on .* SPT reaches 48001 to"
    ):
        method.build(wide, method.config({"budget": 0.2}))
    with pytest.raises(BadValue, match="SPT reaches 49 to"):
        method.survey(tiny, replace(Config(), budget=0.01), 5, 0)


@each_form
def test_a_rank_larger_than_the_width_is_a_sentence(name, tiny):
    method = find_method(name)
    with pytest.raises(BadValue, match="rank 49 is larger than the width 48"):
        create(method, method.config({"rank": 49}), tiny, 5, 0)


@each_form
def test_without_a_survey_exactly_the_budget_is_allocated(name, vit_b):
    """Also on the meta device, where nothing is drawn, and at several budgets."""
    method = find_method(name)
    for percent in (0.2, 0.466, 1.0, 1.5):
        config = method.config({"budget": percent})
        adapter = meta_adapter(method, config, vit_b, 10)
        wanted = round(percent / 100 * 85_798_656)
        assert adapter.trainable == method.count(vit_b, config) == wanted
        assert adapter.extra["structured"]
        assert adapter.extra["sparse"]


def test_the_authors_do_not_fill_up(tiny):
    """With `fill` off the nearest plan is taken, however far its total is from the budget."""
    terms = Terms(LowRankEntries, tiny.anatomy, Config(rank=8, budget=4.0))
    scores = {piece.name: torch.zeros(piece.shape) for piece in terms.pieces}
    for role in ("q", "k", "v", "proj"):
        scores[f"blocks.0.{role}.weight"] += 1.0
    totals = {}
    for fill in (True, False):
        chosen = replace(terms, config=replace(terms.config, fill=fill))
        allocation = allocate(chosen, scores)
        entries = sum(allocation.sparse.values())
        modules = sum(
            terms.cost(site)
            for site in tiny.anatomy.at("q", "k", "v", "proj", "fc1", "fc2")
            if site.name in allocation.structured
        )
        totals[fill] = terms.token + entries + modules
    off = {fill: abs(total - terms.budget) / terms.budget for fill, total in totals.items()}
    assert off[True] <= 0.05 < off[False]
