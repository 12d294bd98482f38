"""No choice is made by a test image: whatever they show, the run and its adapter are the same."""

from dataclasses import replace

import pytest
import torch
from small import material

from peft_demo.adapters import AdapterFile
from peft_demo.contracts.events import Evaluated, Event, Finished, Improved, Stepped, Tried
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.training import train

RUN = RunSpec("lora", {"rank": 2}, DataSpec(shots=8), recipe=Recipe(epochs=2, batch=12))
CASES = {
    "by validation": (RUN, 9),
    "without validation images": (RUN, 0),
    "with patience": (replace(RUN, recipe=Recipe(epochs=4, batch=12, patience=1)), 9),
    "a search": (replace(RUN, tune=2), 9),
    "a search in folds": (replace(RUN, tune=2), 0),
}


def told(events: list[Event]) -> list[tuple]:
    """All that a run says of its learning and its choices, without times."""
    kinds = {Stepped: ("step", "loss"), Evaluated: ("step", "loss", "accuracy", "best")}
    kinds |= {Tried: ("trial", "accuracy", "loss", "best"), Finished: ("best_step", "val_accuracy")}
    return [
        (type(event), *(getattr(event, name) for name in kinds[type(event)]))
        for event in events
        if type(event) in kinds
    ]


@pytest.mark.parametrize("case", CASES)
def test_other_test_images_give_the_same_run_and_the_same_adapter(case, tiny):
    run, val = CASES[case]
    own = material(val=val)
    images, labels = own.test
    other = replace(own, test=(255 - images, (labels + 1) % 3))
    first, second = (list(train(run, tiny, images)) for images in (own, other))
    assert told(first) == told(second)
    assert first[-1].test_accuracy != second[-1].test_accuracy, "they are other images"
    files = [[e for e in events if isinstance(e, Improved)][-1] for events in (first, second)]
    mine, theirs = (AdapterFile.parse(event.adapter) for event in files)
    assert all(torch.equal(mine.tensors()[name], theirs.tensors()[name]) for name in mine.tensors())
    measured = {"test_accuracy": None, "seconds": 0.0, "created": ""}
    assert replace(mine.card, **measured) == replace(theirs.card, **measured)
