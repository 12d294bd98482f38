"""The index of the methods has their cards, and counts only for the code that it was made from."""

import shutil
from dataclasses import replace
from pathlib import Path

from peft_demo import methods
from peft_demo.methods import index

HINT = "`python -m peft_demo.methods` writes the index anew"


def test_the_index_has_the_card_of_every_method():
    cards = [method.card() for method in methods.methods().values()]
    assert index.indexed(tuple(methods.__path__)) == cards, HINT


def test_it_counts_for_nothing_where_a_file_is_new_or_has_changed(tmp_path):
    folder = shutil.copytree(Path(methods.__file__).parent, tmp_path / "methods")
    assert index.indexed((str(folder),))
    index.indexed.cache_clear()
    (folder / "lora.py").write_text("")
    assert not index.indexed((str(folder),))
    assert not index.indexed((*methods.__path__, str(folder)))


def test_a_method_of_ones_own_has_a_card_too(monkeypatch):
    mine = replace(methods.find_method("lora"), name="mine")
    monkeypatch.setitem(methods._registered, "mine", mine)
    assert methods.find_card("mine") == mine.card()
