"""Which adapters are shown and in which order; sizes are compared as numbers."""

from peft_demo.contracts.cards import ZooEntry
from peft_demo.contracts.specs import DataSpec, RunSpec
from peft_demo.ui.adapters import shelf
from peft_demo.ui.adapters.shelf import ALL, Wanted

from .fake import card

TITLES = {"lora": "LoRA", "bi_lora": "1-bit LoRA"}


def entry(id: str, octets: int = 1000, dataset: str = "digits", **facts) -> ZooEntry:
    spec = RunSpec(data=DataSpec("bundled", dataset)).to_json()
    return ZooEntry(id, octets, False, card(id, **{"spec": spec, **facts}))


LARGE = entry("large", 22_000_000, test_accuracy=0.99, created="2026-01-01T00:00:00+00:00")
SMALL = entry(
    "small", 46_000, "shapes", method="bi_lora", test_accuracy=0.5, created="2026-03-01T00:00:00"
)
UNTESTED = entry("untested", 300_000, test_accuracy=None, created="2026-02-01T00:00:00+00:00")
BROKEN = ZooEntry("broken", 12, False, None, "the file is truncated.")
EVERY = [LARGE, SMALL, UNTESTED, BROKEN]


def ids(**wanted) -> list[str]:
    return [entry.id for entry in shelf.shown(EVERY, Wanted(**wanted), TITLES)]


def test_sizes_are_compared_as_numbers():
    """22 MB once stood before 46 kB, as text does."""
    assert ids(order=shelf.SIZE) == ["broken", "small", "untested", "large"]


def test_what_has_no_figure_comes_last():
    assert ids(order=shelf.ACCURACY) == ["large", "small", "broken", "untested"]
    assert ids(order=shelf.NEWEST) == ["small", "untested", "large", "broken"]
    assert ids(order=shelf.NAME) == ["broken", "large", "small", "untested"]


def test_chips_hold_back_other_datasets_and_methods():
    assert ids(dataset="shapes") == ["small"]
    assert ids(method="lora", order=shelf.NAME) == ["large", "untested"]
    assert ids(dataset="shapes", method="lora") == []


def test_search_words_are_looked_for_in_names_methods_datasets_and_classes():
    assert ids(words="1-BIT") == ["small"]
    assert ids(words="shapes lora") == ["small"]
    assert ids(words="trunc") == []
    named = shelf.shown([entry("x", classes=("bee", "cat"))], Wanted(words="bee"), TITLES)
    assert [one.id for one in named] == ["x"]


def test_chips_count_and_the_one_that_has_gone_gives_way_to_all():
    chips = shelf.dataset_chips(EVERY)
    assert chips == [("All 4", ALL), ("digits 2", "digits"), ("shapes 1", "shapes"), ("– 1", "–")]
    methods = shelf.method_chips(EVERY, TITLES)
    assert methods[1:3] == [("LoRA 2", "lora"), ("1-bit LoRA 1", "bi_lora")]
    assert shelf.chosen("shapes", chips) == "shapes"
    assert shelf.chosen("gone", chips) == shelf.chosen(None, chips) == ALL


def test_a_card_whose_spec_is_anything_has_no_dataset():
    for spec in ({}, {"data": None}, {"data": "text"}, {"data": {"name": None}}):
        assert shelf.dataset_of(entry("a", spec=spec)) == "–"
