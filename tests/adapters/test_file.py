"""The adapter file: what a hostile, truncated or foreign one meets, before anything is attached."""

import json
import struct
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load as parse
from safetensors.torch import save
from small import card, images, loaded, random_vit, trained

from peft_demo.adapters import AdapterFile, attach, dump, load, read_card
from peft_demo.adapters import file as adapter_file
from peft_demo.contracts.errors import BadAdapter, WrongBackbone
from peft_demo.storage import adapter_header


@pytest.fixture(scope="module")
def good(tiny):
    adapter = trained("lora", tiny)
    return dump(adapter, card(adapter, tiny))


def opened(data: bytes):
    return parse(data), AdapterFile.parse(data).card.to_json()


def closed(tensors, card_values) -> bytes:
    return save(tensors, {"format": "pt", "peft_demo": json.dumps(card_values)})


def test_the_card_comes_back_whole_from_bytes_and_from_a_file(good, tiny, tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes(good)
    sources = AdapterFile.parse(good), AdapterFile.open(file)
    assert sources[0] == sources[1]
    assert read_card(file) == sources[0].card == sources[1].card
    assert sources[0].card.classes == tuple("abcde")
    with torch.no_grad():
        answers = [attach(tiny, load(source, tiny)).eval()(images()) for source in sources]
    assert torch.equal(*answers)


def test_a_new_card_leaves_every_tensor_alone(good, tiny):
    file = AdapterFile.parse(good)
    renamed = file.with_card(replace(file.card, name="other", classes=tuple("vwxyz")))
    assert AdapterFile.parse(renamed.content).card == renamed.card
    assert renamed.card.name == "other"
    assert all(torch.equal(t, renamed.tensors()[n]) for n, t in parse(good).items())


def test_probe_logits_come_back_and_leave_every_tensor_alone(good, tiny):
    file = AdapterFile.parse(good)
    assert file.probes is None and load(file, tiny), "a file of an earlier version"
    kept = torch.randn(2, 5)
    with_probes = file.with_probe_logits(kept)
    assert torch.equal(torch.tensor(with_probes.probes.logits), kept)
    assert with_probes.probes.classes == file.card.classes
    assert replace(with_probes.card, probes=0) == file.card
    tensors = with_probes.tensors()
    assert torch.equal(tensors.pop("probe_logits"), kept)
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in file.tensors().items())
    with torch.no_grad():
        answers = [attach(tiny, load(one, tiny)).eval()(images()) for one in (file, with_probes)]
    assert torch.equal(*answers)


def test_an_adapter_that_answers_no_finite_numbers_keeps_none(good):
    file = AdapterFile.parse(good).with_probe_logits(torch.zeros(2, 5))
    assert file.with_probe_logits(torch.full((2, 5), torch.inf)).content == good


def test_renamed_classes_keep_their_probe_logits(good):
    file = AdapterFile.parse(good).with_probe_logits(torch.randn(2, 5))
    renamed = file.with_card(replace(file.card, classes=tuple("vwxyz")))
    assert renamed.probes == replace(file.probes, classes=tuple("vwxyz"))


def test_a_file_that_changes_while_it_is_read_is_refused(good, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    path.write_bytes(good)
    judge = adapter_file.judge

    def judge_and_change(stream, name):
        result = judge(stream, name)
        path.write_bytes(good + b"more")
        return result

    monkeypatch.setattr(adapter_file, "judge", judge_and_change)
    with pytest.raises(BadAdapter, match="changed while it was read"):
        AdapterFile.open(path)


def test_a_file_is_judged_by_its_header_before_the_rest_is_read(good, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    path.write_bytes(good)
    monkeypatch.setattr(adapter_header, "FILE_LIMIT", len(good) - 1)
    for read in (AdapterFile.open, read_card):
        with pytest.raises(BadAdapter, match="larger than any adapter"):
            read(path)


def test_a_file_written_again_has_the_same_bytes(good):
    file = AdapterFile.parse(good)
    assert {file.with_card(file.card).content for _ in range(20)} == {good}


def test_an_adapter_of_another_backbone_is_refused_with_both_names(good):
    other = random_vit(seed=9)
    with pytest.raises(WrongBackbone, match="was trained on tiny"):
        loaded(good, other)


def test_an_adapter_of_another_size_is_refused(good, tiny):
    with pytest.raises(WrongBackbone, match="trained at 32 px"):
        loaded(good, replace(tiny, size=64))


SPOILED = {
    "a missing tensor": (lambda t, c: t.pop("head.bias"), "lacks"),
    "an extra tensor": (lambda t, c: t.update(evil=torch.zeros(1)), "unexpected"),
    "a wrong shape": (lambda t, c: t.update({"head.bias": torch.zeros(6)}), "expected"),
    "a wrong dtype": (
        lambda t, c: t.update({"head.bias": torch.zeros(5, dtype=torch.int64)}),
        "expected",
    ),
    "a value that is not finite": (lambda t, c: t["head.bias"].fill_(float("nan")), "not a finite"),
    "an unknown method": (lambda t, c: c.update(method="lroa"), "did you mean 'lora'"),
    "an unknown knob": (lambda t, c: c["knobs"].update(rnak=3), "no knob 'rnak'"),
    "a knob out of range": (lambda t, c: c["knobs"].update(rank=10**9), "from 1 to 128"),
    "a knob of the wrong type": (lambda t, c: c["knobs"].update(rank="many"), "whole number"),
    "a rank wider than the backbone": (
        lambda t, c: c["knobs"].update(rank=100),
        "larger than the width",
    ),
    "no classes": (lambda t, c: c.update(classes=[]), "at least one name"),
    "classes that are not text": (
        lambda t, c: c.update(classes=[1, 2, 3, 4, 5]),
        "expected a name",
    ),
    "one class too many": (lambda t, c: c.update(classes=list("abcdef")), "expected"),
    "a fingerprint that is none": (
        lambda t, c: c.update(fingerprint="`<img>` " * 8),
        "expected a SHA-256",
    ),
    "a size out of range": (lambda t, c: c.update(size=10**9), "from 1 to 4,096"),
    "no size": (lambda t, c: c.pop("size"), "lacks its size"),
    "a normalisation that is not numbers": (
        lambda t, c: c.update(mean=["a", "b", "c"]),
        "mean = .* expected a finite number",
    ),
    "an endless thumbnail": (lambda t, c: c.update(thumbnail="A" * 100_000), "thumbnail"),
    "probe logits that its card does not announce": (
        lambda t, c: t.update(probe_logits=torch.zeros(2, 5)),
        "unexpected tensor 'probe_logits'",
    ),
    "announced probe logits that are not there": (lambda t, c: c.update(probes=1), "lacks"),
    "probe logits of other classes": (
        lambda t, c: (c.update(probes=1), t.update(probe_logits=torch.zeros(2, 6))),
        "probe_logits is",
    ),
    "probe logits of another type": (
        lambda t, c: (c.update(probes=1), t.update(probe_logits=torch.zeros(2, 5).half())),
        "probe_logits is",
    ),
    "probe logits that are not finite": (
        lambda t, c: (c.update(probes=1), t.update(probe_logits=torch.full((2, 5), torch.nan))),
        "not a finite number, in probe_logits",
    ),
    "a version of the probes that is none": (lambda t, c: c.update(probes=-1), "probes = -1"),
    "an infinite normalisation": (
        lambda t, c: c.update(std=[1.0, float("inf"), 1.0]),
        "std = .* expected a finite number",
    ),
}


@pytest.mark.parametrize(("spoil", "sentence"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_file_is_refused_with_a_sentence(good, tiny, spoil, sentence):
    tensors, card_values = opened(good)
    spoil(tensors, card_values)
    with pytest.raises(BadAdapter, match=sentence):
        loaded(closed(tensors, card_values), tiny)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        b"\x80\x04\x95\x10 a pickle",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 20) + b"{" * 20,
        struct.pack("<Q", 43) + b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}'[:43],
        b'\x14\x00\x00\x00\x00\x00\x00\x00{"a":1,"a":2}       ',
        struct.pack("<Q", 900_000) + b"[" * 900_000,
    ],
    ids=[
        "empty",
        "short",
        "pickle",
        "endless header",
        "nonsense",
        "cut",
        "twice the same key",
        "deep nesting",
    ],
)
def test_what_is_no_safetensors_file_is_refused(data, tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes(data)
    with pytest.raises(BadAdapter):
        AdapterFile.parse(data)
    for read in (AdapterFile.open, read_card):
        with pytest.raises(BadAdapter):
            read(file)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(good, keep, tiny):
    with pytest.raises(BadAdapter, match="sound"):
        loaded(good[: int(len(good) * keep)], tiny)


def test_a_file_of_someone_elses_is_refused_by_name():
    with pytest.raises(BadAdapter, match="no adapter card"):
        AdapterFile.parse(save({"a": torch.zeros(1)}))


def test_a_card_that_is_not_json_is_refused():
    with pytest.raises(BadAdapter, match="not JSON"):
        AdapterFile.parse(save({"a": torch.zeros(1)}, {"peft_demo": "{not json"}))


def test_loading_draws_nothing_at_random(good, tiny):
    """A run that trains in another thread must keep its bits while adapters are loaded."""
    before = torch.random.get_rng_state()
    loaded(good, tiny)
    assert torch.equal(torch.random.get_rng_state(), before)
