"""Words for methods, with or without knobs."""

import pytest

from peft_demo.contracts.errors import PeftDemoError
from peft_demo.methods import methods
from peft_demo.studio.comparison.contenders import contenders


def test_all_is_every_method_and_the_variants_of_its_record():
    words = [contender.word for contender in contenders("all")]
    assert set(methods()) <= set(words) and len(set(words)) == len(words)
    assert {"aoft_lora:scale=true", "aoft_adapter:scale=true", "bi_lora:head_bits=1"} <= set(words)


def test_a_word_may_carry_knobs():
    plain, scaled, aimed = contenders("lora, aoft_lora:scale=true,lora:rank=4:targets=q+k")
    assert plain.config == plain.method.Config() and scaled.config.scale is True
    assert (aimed.config.rank, aimed.config.targets) == (4, ("q", "k"))


def test_a_form_of_ones_own_stands_beside_all():
    assert contenders("all,lora:rank=4")[-1].word == "lora:rank=4"


@pytest.mark.parametrize("words", ["", ",", "lroa", "lora:rnk=4", "lora:rank", "lora:rank=-1"])
def test_what_is_wrong_gets_a_sentence(words):
    with pytest.raises(PeftDemoError):
        contenders(words)


@pytest.mark.parametrize("name", methods())
def test_what_a_record_says_of_variants_and_search_is_true(name):
    method = methods()[name]
    for variant in method.variants:
        assert contenders(f"{name}:{variant}")[0].config != method.Config()
    for knob, values in method.search.items():
        assert getattr(method.Config(), knob) in values
        assert all(method.config({knob: value}) for value in values)
