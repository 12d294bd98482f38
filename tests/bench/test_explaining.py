"""The figures about what answers rest on, on a shipped adapter and a few of its pictures."""

import pytest

from peft_demo import library
from peft_demo.bench import explaining
from peft_demo.contracts.specs import RunSpec
from peft_demo.data import open_dataset
from peft_demo.studio.adapter_store import SHIPPED


@pytest.mark.slow
def test_the_map_is_better_than_chance_and_lies_on_the_arrow():
    file = library.load(SHIPPED / "lora-shapes-s0.safetensors")
    chosen = library.attach(library.load_backbone(), file).attached
    spec = RunSpec.from_json(file.card.spec).data
    found = explaining.measure(chosen, open_dataset(spec, None), spec, images=2)
    assert found.images == 2
    assert found.deletion < found.random_deletion and found.insertion > found.random_insertion
    assert found.inside > 2 * found.area
    assert explaining.rows([found])[0] == explaining.HEAD
