"""Specs and events are JSON both ways; a command is generated and carries no path."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peft_demo.contracts.errors import BadValue, PeftDemoError
from peft_demo.contracts.events import Evaluated, Failed, Improved, Started, from_json
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.contracts.window import parse_window, window_text


def test_a_run_is_json_both_ways():
    run = RunSpec(
        "lora",
        {"rank": 4, "targets": ("q", "v")},
        DataSpec(seed=3),
        recipe=Recipe(epochs=2),
        name="mine",
    )
    assert RunSpec.from_json(json.loads(json.dumps(run.to_json()))) == run


def test_the_command_repeats_what_differs_from_the_defaults_and_shows_no_path():
    run = RunSpec(
        "lora",
        {"targets": ("q",)},
        DataSpec("zip", "/home/me/my photos.zip", 8, 1),
        recipe=Recipe(epochs=3),
    )
    assert run.command() == (
        "python -m peft_demo train --method lora --data 'my photos.zip' --shots 8 --seed 1"
        " --epochs 3 --set targets=q"
    )


def test_a_recipe_from_before_the_head_had_a_rate_is_the_run_that_it_was():
    """One rate for all parameters, 0 for the method's own as it was then."""
    run = RunSpec("arc", recipe=Recipe(lr=0.5, head_lr=0.25))
    old = run.to_json()
    del old["recipe"]["head_lr"]
    assert RunSpec.from_json(old).recipe == Recipe(lr=0.5, head_lr=0.5)
    old["recipe"]["lr"] = 0.0
    assert RunSpec.from_json(old).recipe == Recipe(lr=3e-3, head_lr=3e-3)
    assert "--lr 0.003 --head-lr 0.003" in RunSpec.from_json(old).command()


@pytest.mark.parametrize(
    "values", [{"shots": 0}, {"seed": -1}, {"source": "../ftp"}, {"shots": "many"}]
)
def test_a_dataset_out_of_range_is_a_sentence(values):
    with pytest.raises(BadValue):
        DataSpec(**values)


@pytest.mark.parametrize(
    "plain", [{}, {"data": 3, "recipe": {}}, {"data": {}, "recipe": {}, "colour": "red"}]
)
def test_an_ill_formed_run_is_a_sentence(plain):
    with pytest.raises(BadValue):
        RunSpec.from_json(plain)


@pytest.mark.parametrize(
    "event",
    [
        Evaluated(1, 0.5, 0.25, 4, True),
        Failed("it broke.", "try again"),
        Started(1, 1, 1, 1, 0.1, ("a", "b"), 1, 1, 1, "cpu", "00"),
    ],
)
def test_events_are_json_both_ways(event):
    assert from_json(json.loads(json.dumps(event.to_json()))) == event


def test_a_search_is_part_of_a_spec_and_of_the_command_only_where_there_is_one():
    assert "tune" not in RunSpec().to_json() and "--tune" not in RunSpec().command()
    run = RunSpec(tune=8)
    assert RunSpec.from_json(json.loads(json.dumps(run.to_json()))) == run
    assert run.command().endswith("--tune 8")


def test_a_file_never_goes_into_the_journal():
    with pytest.raises(TypeError):
        Improved(1, b"").to_json()


def test_a_strangers_line_is_a_sentence():
    with pytest.raises(BadValue):
        from_json({"event": "Exploded"})


def test_the_keys_of_a_persons_photos_are_in_no_command_and_no_card():
    key = "0123456789abcdef0123456789abcdef"
    assert RunSpec(data=DataSpec("draft", key)).command().count("--data photos ") == 1
    assert DataSpec("upload", "holiday-0123456789ab.zip").argument() == "holiday.zip"


@pytest.mark.parametrize(
    ("source", "name", "public"),
    [
        ("bundled", "digits", "digits"),
        ("hub", "owner/name:plain", "owner/name:plain"),
        ("csv", "csv:/home/me/pets.csv", "csv:pets.csv"),
        ("csv", "csv:C:\\Users\\me\\pets.csv", "csv:pets.csv"),
        ("csv", "csv:~/pets.csv", "csv:pets.csv"),
        ("kaggle", "kaggle:owner/name", "kaggle:owner/name"),
        ("folder", "/home/me/my photos/", "my photos"),
        ("folder", "C:\\Users\\me\\cats", "cats"),
        ("zip", "~/private/cats.zip", "cats.zip"),
        ("draft", "0123456789abcdef0123456789abcdef", "photos"),
        ("upload", "holiday-0123456789ab.zip", "holiday.zip"),
        ("upload", "0123456789abcdef0123456789abcdef", "photos.zip"),
    ],
)
def test_what_of_a_datasets_name_may_leave_the_machine(source, name, public):
    """Asked again, the answer is the same."""
    spec = DataSpec(source, name, shots=3).public()
    assert spec == DataSpec(source, public, shots=3) == spec.public()


READING = {
    "splits": "train=a+b,test=c",
    "labels": "/home/me/secret/labels.csv",
    "classes_from": "table",
    "label_column": "breed",
    "window": (0, 4095),
    "ground": "black",
}


def test_how_a_dataset_is_read_is_part_of_its_spec_and_of_the_command():
    data = DataSpec("folder", "/home/me/cats", **READING)
    run = RunSpec(data=data)
    assert RunSpec.from_json(json.loads(json.dumps(run.to_json()))) == run
    flags = (
        "--label-column breed --splits train=a+b,test=c --labels labels.csv --classes-from table"
    )
    assert f"{flags} --window 0,4095 --ground black" in run.command()
    assert "secret" not in run.command() and "secret" not in str(run.public().to_json())


def test_a_spec_that_says_nothing_of_it_is_written_as_before():
    assert list(RunSpec().to_json()["data"]) == [
        "source", "name", "shots", "seed", "image_column", "label_column",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"splits": "train"},
        {"splits": "eval=val"},
        {"classes_from": "colour"},
        {"window": (1,)},
        {"window": (4095, 0)},
        {"window": ("a", "b")},
        {"ground": "pink"},
        {"labels": 3},
    ],
)
def test_a_reading_that_cannot_be_is_a_sentence(values):
    with pytest.raises(BadValue):
        DataSpec(**values)


def test_windows_are_written_and_read():
    assert parse_window("0,4095") == (0, 4095) and parse_window("") == ()
    assert window_text((-0.5, 1.0)) == "-0.5,1" and parse_window(window_text((-1024, 3071))) == (
        -1024,
        3071,
    )
    for text in ("4095", "a,b", "1,2,3"):
        with pytest.raises(BadValue, match="0,4095"):
            parse_window(text)


PIECES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
"""Any JSON, small."""


def damaged(plain: dict):
    """`plain` with one value, its own or a record's, replaced by any JSON, gone, or added."""
    places = [(plain,)] + [(plain, name) for name, v in plain.items() if isinstance(v, dict)]

    def change(place, key, piece, remove):
        copy = json.loads(json.dumps(plain))
        record = copy[place[1]] if len(place) > 1 else copy
        names = [*record, "stranger"]
        name = names[key % len(names)]
        if remove:
            record.pop(name, None)
        else:
            record[name] = piece
        return copy

    return st.builds(change, st.sampled_from(places), st.integers(0, 99), PIECES, st.booleans())


@given(plain=PIECES | damaged(RunSpec(knobs={"rank": 4}).to_json()))
def test_a_run_from_any_json_is_a_run_or_a_sentence(plain):
    try:
        run = RunSpec.from_json(plain)
    except PeftDemoError as error:
        assert len(str(error)) < 1000
    else:
        assert run.command() and run.public().to_json()


BEGUN = Started(1, 1, 1, 1, 0.1, ("a", "b"), 1, 1, 1, "cpu", "00")


@given(plain=PIECES | damaged(BEGUN.to_json()) | damaged(Evaluated(1, 0.5, 0.2, 4, True).to_json()))
def test_a_journal_line_of_any_json_is_an_event_or_a_sentence(plain):
    try:
        event = from_json(plain)
    except PeftDemoError:
        return
    assert from_json(json.loads(json.dumps(event.to_json()))) == event or "NaN" in json.dumps(plain)
