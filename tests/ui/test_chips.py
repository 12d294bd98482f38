"""The adapters nearest to hand, and every adapter asked at once."""

from dataclasses import replace

from peft_demo.contracts.cards import Prediction, ZooEntry
from peft_demo.ui.classify import ask_all, chips

from .fake import EVIL, card


def entry(id: str, dataset: str = "digits", shipped: bool = True) -> ZooEntry:
    data = {"source": "bundled", "name": dataset, "shots": 16, "seed": 0}
    given = replace(card(id), spec={**card().spec, "data": data})
    return ZooEntry(id, 151_000, shipped, given)


def test_own_ones_come_first_then_one_of_each_dataset():
    entries = [entry("mine", shipped=False), *(entry(f"d{n}") for n in range(9)), entry("t", "x")]
    ids = [shown.id for shown in chips.nearest(entries, None)]
    assert ids[:3] == ["mine", "t", "d0"] or ids[:3] == ["mine", "d0", "t"]
    assert len(ids) == chips.MOST


def test_the_chosen_one_is_always_there():
    entries = [entry(f"d{n}") for n in range(20)]
    assert "d19" in [shown.id for shown in chips.nearest(entries, "d19")]
    assert len(chips.nearest(entries, "d19")) == chips.MOST


def test_a_chip_says_data_method_and_accuracy():
    html = chips.draw([entry("lora-digits-s0")], {card().method: "LoRA"}, ["lora-digits-s0"])
    assert "Digits · LoRA <span>" in html and 'aria-pressed="true"' in html


def test_an_own_adapter_is_called_as_its_owner_calls_it():
    html = chips.draw([entry(EVIL, shipped=False)], {}, [])
    assert "<script" not in html and 'aria-pressed="false"' in html


def says(adapter: str, label: str) -> Prediction:
    return Prediction(adapter, ((label, 0.7),), 1.0)


def test_every_adapter_stands_with_those_of_its_dataset():
    predictions = [says("a", "4"), says("t", "dots"), says("b", "9"), says("c", "4")]
    datasets = {"a": "digits", "t": "textures", "b": "digits", "c": "digits"}
    html = ask_all.draw(predictions, datasets)
    assert html.index("textures") > html.index('data-id="c"')
    assert "2 of 3 say 4" in html
    assert html.count('class="differs"') == 1 and html.count('class="agrees"') == 3


def test_one_that_cannot_answer_says_why():
    refused = Prediction("a", (), 0.0, refusal="its file is gone.")
    assert "Its file is gone." in ask_all.draw([refused], {"a": ""})


def test_an_adapter_that_knows_nothing_like_it_agrees_with_nobody():
    none = Prediction("a", (("dots", 0.9),), 1.0, doubt=1.0)
    html = ask_all.draw([none, replace(none, adapter="b")], {"a": "textures", "b": "textures"})
    assert html.count("<i>none of these, most like dots</i>") == 2 and "say" not in html
