"""A run that goes on from an adapter: what it takes, says, keeps, and how it is resumed."""

from dataclasses import replace
from hashlib import sha256

import pytest
import torch
from small import coloured, material, random_vit

from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import BadAdapter, BadValue, WrongBackbone
from peft_demo.contracts.events import Checkpointed, Evaluated, Improved, Noticed, Stepped
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.contracts.window import Window
from peft_demo.data import Example
from peft_demo.data.chosen import Split
from peft_demo.methods import find_method
from peft_demo.training import going_on, train
from peft_demo.training.origin import also_seen, without_seen

RUN = RunSpec("lora", {"rank": 2}, DataSpec(shots=8), recipe=Recipe(epochs=3, batch=12))
AGAIN = replace(RUN, method="", knobs={}, origin=Origin("first"))


def last(events) -> AdapterFile:
    return AdapterFile.parse([e for e in events if isinstance(e, Improved)][-1].adapter)


@pytest.fixture(scope="module")
def first(tiny) -> AdapterFile:
    return last(train(RUN, tiny, material()))


def test_method_knobs_and_backbone_are_the_adapters(first):
    run = going_on(AGAIN, first)
    assert (run.method, run.knobs["rank"], run.backbone, run.size) == ("lora", 2, "tiny", 32)
    assert run.origin == Origin("first", sha256(first.content).hexdigest())
    assert going_on(replace(AGAIN, method="lora", knobs={"rank": "2"}), first) == run
    assert going_on(run, first) == run


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "arc"}, "an adapter of lora, .* cannot train arc"),
        ({"knobs": {"rank": "4"}}, "has rank = 2, .* cannot have 4"),
        ({"origin": Origin("first", "0" * 64)}, "first is no longer the file"),
    ],
)
def test_what_contradicts_the_adapter_is_a_sentence(changes, words, first):
    with pytest.raises((BadValue, BadAdapter), match=words):
        going_on(replace(AGAIN, **changes), first)


def test_it_starts_where_the_adapter_was_and_the_card_says_so(first, tiny):
    run = going_on(AGAIN, first)
    events = list(train(run, tiny, material(), origin=first))
    steps = [e.loss for e in events if isinstance(e, Stepped)]
    assert steps[0] < first.card.curve[0][1] - 0.05
    assert events[0] == Noticed(
        "info", "goes on from first: 3 of 3 classes keep their row of the head."
    )
    card = last(events).card
    recipe = find_method("lora").recipe(run.recipe)
    chosen = replace(recipe, precision=card.spec["recipe"]["precision"])
    assert card.origin == "first" and card.command() == replace(run, recipe=chosen).command()
    assert first.card.origin == ""


@pytest.mark.parametrize(
    ("method", "knobs"),
    [
        ("lora", {"rank": 2}),
        ("spt_lora", {"rank": 2, "budget": 5.0}),
        ("bi_lora", {"hidden": 3}),
        ("linear", {}),
    ],
)
def test_resumed_it_ends_with_the_same_bits(method, knobs, tiny):
    first = last(train(replace(RUN, method=method, knobs=knobs), tiny, material()))
    run = going_on(replace(AGAIN, recipe=Recipe(epochs=2, batch=12)), first)
    whole = list(train(run, tiny, material(), origin=first))
    state = next(
        e.state() for e in train(run, tiny, material(), origin=first) if type(e) is Checkpointed
    )
    rest = list(train(run, tiny, material(), state=state, origin=first))
    losses = [
        [e.loss for e in told if isinstance(e, Stepped | Evaluated)] for told in (whole, rest)
    ]
    assert losses[0][-len(losses[1]) :] == losses[1]
    one, other = last(whole).tensors(), last(rest).tensors()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_other_classes_other_rows(first, tiny):
    run = going_on(AGAIN, first)
    images, labels = coloured(24, 0)
    classes = ("blue", "red", "white", "green")
    renumbered = torch.tensor([1, 3, 0])[labels]
    parts = dict.fromkeys(("train", "val", "test"), (images, renumbered))
    events = list(train(run, tiny, replace(material(), classes=classes, **parts), origin=first))
    assert "3 of 4 classes keep their row" in events[0].text
    assert last(events).card.classes == classes


def test_another_backbone_another_size_another_file_and_none_are_refused(first, tiny):
    run = going_on(AGAIN, first)
    with pytest.raises(WrongBackbone, match="was trained on tiny"):
        next(train(run, random_vit(seed=4), material(), origin=first))
    with pytest.raises(WrongBackbone, match="was trained at 32 px"):
        next(train(run, replace(tiny, size=64), material(), origin=first))
    other = first.with_card(replace(first.card, name="other"))
    with pytest.raises(BadAdapter, match="no longer the file"):
        next(train(run, tiny, material(), origin=other))
    with pytest.raises(BadValue, match="not handed to it"):
        next(train(run, tiny, material()))


def test_images_are_normalised_as_the_adapters_were(first, tiny):
    plain = first.with_card(replace(first.card, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)))
    card = last(train(going_on(AGAIN, plain), tiny, material(), origin=plain)).card
    assert (card.mean, card.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_pictures_that_are_read_otherwise_are_told(first, tiny):
    images = replace(material(), window=Window((0, 4095)))
    events = list(train(going_on(AGAIN, first), tiny, images, origin=first))
    (warning,) = [e.text for e in events if isinstance(e, Noticed) and e.level == "warning"]
    assert "read its pictures otherwise" in warning and "0 to 4095" in warning
    assert last(events).card.window == (0, 4095), "the new images' own rule"


def test_test_images_that_the_adapter_has_seen_are_left_out(first):
    examples = [Example(0, "", f"{i}.png", lambda i=i: bytes([i])) for i in range(4)]
    seen = (examples[1].digest[:12], "cc")
    origin = first.with_card(replace(first.card, seen=seen))
    chosen = Split(("a",), (), (), tuple(examples), notices=("few",))
    fresh = without_seen(chosen, origin)
    assert fresh.test == (examples[0], *examples[2:])
    assert fresh.notices[0] == "few" and "1 of 4 test images are left out" in fresh.notices[1]
    assert without_seen(fresh, origin) == fresh
    assert set(also_seen(material(), origin).seen) == {"aa", "bb", *seen}


def test_validation_images_that_the_adapter_has_seen_are_told_where_the_split_is_another(first):
    examples = [Example(0, "", f"{i}.png", lambda i=i: bytes([i])) for i in range(3)]
    chosen = Split(("a",), (), tuple(examples), ())
    seen = (examples[0].digest[:12], examples[2].digest[:12])
    other = first.with_card(replace(first.card, seen=seen))
    (notice,) = without_seen(chosen, other).notices
    assert "on 2 of 3 validation images" in notice
    same = first.with_card(replace(other.card, split=chosen.fingerprint))
    assert without_seen(chosen, same) == chosen
