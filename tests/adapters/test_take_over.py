"""Going on from an adapter, beside law 16: classes, sensitive pieces, heads of one bit."""

import pytest
import torch
from small import SEED, card, disturbed, loaded, new, surveyed

from peft_demo.adapters import Adapter, create, dump, take_over
from peft_demo.contracts.errors import BadValue

CLASSES = tuple("abcde")


def after(earlier: Adapter, tiny, classes: str) -> Adapter:
    fresh = create(
        earlier.method, earlier.config, tiny, len(classes), SEED + 1, earlier.extra or None
    )
    take_over(fresh, classes, loaded(dump(earlier, card(earlier, tiny)), tiny), CLASSES)
    return fresh


@pytest.mark.parametrize("classes", ["abcde", "edcba", "ca", "xyz", "axbycz"])
def test_rows_of_the_head_go_by_the_names_of_the_classes(classes, tiny):
    head = disturbed(new("lora", tiny)).head
    earlier = disturbed(new("lora", tiny))
    adapter = after(earlier, tiny, classes)
    for row, name in enumerate(classes):
        if name in CLASSES:
            assert torch.equal(adapter.head.weight[row], head.weight[CLASSES.index(name)])
            assert adapter.head.bias[row] == head.bias[CLASSES.index(name)]
        else:
            assert not adapter.head.weight[row].any() and adapter.head.bias[row] == 0


def test_what_a_survey_chose_stays_chosen(tiny):
    earlier = disturbed(surveyed("spt_lora", tiny))
    adapter = after(earlier, tiny, "abx")
    theirs = earlier.state()
    mine = adapter.state()
    assert adapter.extra == earlier.extra and mine.keys() == theirs.keys()
    assert all(torch.equal(mine[n], theirs[n]) for n in mine if not n.startswith("head."))


def test_a_head_of_one_bit_goes_on_with_its_classes_or_fewer(tiny):
    earlier = disturbed(new("bi_lora", tiny, head_bits=1))
    file = loaded(dump(earlier, card(earlier, tiny)), tiny)
    adapter = after(earlier, tiny, "ec")
    kept = adapter.head.codec.quantise(adapter.head.weight)
    assert torch.allclose(kept, file.head.weight[[4, 2]], atol=1e-5)
    with pytest.raises(BadValue, match=r"one scale for all its classes.*'x'"):
        after(earlier, tiny, "abx")


def test_it_can_be_packed_again(tiny):
    adapter = after(disturbed(new("bi_lora", tiny)), tiny, "ab")
    assert dump(adapter, card(adapter, tiny))
