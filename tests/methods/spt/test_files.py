"""Files of others: positions and allocations that do not fit are refused."""

from copy import deepcopy
from dataclasses import replace

import pytest
from small import card, loaded, new, surveyed

from peft_demo.adapters import dump
from peft_demo.contracts.errors import BadAdapter


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
    buffers = [b for name, b in adapter.named_buffers() if name.endswith(buffer)]
    spoil(next(b for b in buffers if len(b) > 1))
    with pytest.raises(BadAdapter, match=f"{buffer} holds positions that are not ascending"):
        loaded(dump(adapter, card(adapter, tiny)), tiny)


def one_entry_fewer(sparse: dict[str, int]) -> dict[str, int]:
    return {name: count - 1 for name, count in sparse.items() if count > 1}


SPOILED = {
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
    "one entry fewer than the file": lambda e: e.update(sparse=one_entry_fewer(e["sparse"])),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_hostile_allocation_is_refused(case, tiny):
    adapter = surveyed("spt_lora", tiny)
    extra = deepcopy(adapter.extra)
    SPOILED[case](extra)
    with pytest.raises(BadAdapter):
        loaded(dump(adapter, replace(card(adapter, tiny), extra=extra)), tiny)


def test_an_allocation_on_the_card_of_another_method_means_nothing(tiny):
    adapter = new("lora", tiny)
    its_card = replace(card(adapter, tiny), extra={"structured": ["evil"]})
    assert loaded(dump(adapter, its_card), tiny)
