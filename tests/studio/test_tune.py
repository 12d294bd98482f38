"""A search through the studio: kept in the journal, begun again after an interruption."""

from dataclasses import replace

import torch

from peft_demo.adapters import AdapterFile
from peft_demo.contracts.events import Finished, Resumed, Tried
from peft_demo.contracts.history import trials_of


def test_interrupted_it_begins_again_and_ends_with_the_same_adapter(
    studio, open_studio, short, finish
):
    run = studio.training.start(replace(short("lora"), tune=3))
    events = finish(studio, run)
    assert isinstance(events[-1], Finished), events[-1]
    card = studio.training.run(run)
    before = AdapterFile.open(studio.zoo.file(card.adapter))
    journal = studio.home.runs / run / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-5]))

    again = open_studio(studio.home.root)
    again.training.resume(run)
    told = finish(again, run)
    assert Resumed(0) in told and isinstance(told[-1], Finished)
    assert trials_of(told) == [event for event in events if isinstance(event, Tried)]
    assert [entry.id for entry in again.zoo.entries()] == [card.adapter], "no second adapter"
    after = AdapterFile.open(again.zoo.file(card.adapter))
    one, other = before.tensors(), after.tensors()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert after.card.tuned == before.card.tuned != ""
