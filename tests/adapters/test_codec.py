"""The codec: what a file holds of quantised adapters, to the byte, and that it gives back what was computed with."""

import json

import pytest
import torch
from safetensors.torch import load as parse
from safetensors.torch import save
from small import card, images, loaded, new, random_vit, trained

from peft_demo.adapters import (
    AdapterFile,
    attach,
    dump,
    load,
    merge,
    merged_tensors,
    meta_adapter,
)
from peft_demo.adapters.codec import pack, unpack
from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.errors import BadAdapter, BadValue
from peft_demo.contracts.specs import RunSpec
from peft_demo.methods import find_method
from peft_demo.methods.bi import quantised
from peft_demo.training.cost import CARD_BYTES, cost
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

NAMES = ("bi_lora", "bi_adaptformer")


@pytest.fixture(scope="module")
def vit_b():
    return anatomy_of(Source("b", "b", "vit_base_patch16_224"))


def data_bytes(name, anatomy, classes=10, **knobs):
    """Bytes of the packed tensors and of all others in a file for this anatomy."""
    kind = find_method(name)
    held = pack(meta_adapter(kind, kind.config(knobs), anatomy, classes))
    packed = sum(t.nbytes for n, t in held.items() if n in ("codes", "statistics"))
    return packed, sum(t.nbytes for t in held.values()) - packed


@pytest.mark.parametrize(
    ("name", "hidden", "kib"),
    [
        ("bi_adaptformer", 32, 72.2),
        ("bi_lora", 32, 144.4),
        ("bi_adaptformer", 1, 2.4),
        ("bi_lora", 1, 4.9),
    ],
)
def test_one_bit_files_have_the_paper_s_size(name, hidden, kib, vit_b):
    packed, rest = data_bytes(name, vit_b, hidden=hidden)
    matrices = 24 if name == "bi_adaptformer" else 48
    assert packed == matrices * (768 * hidden // 8 + 8)
    assert round(packed / 1024, 1) == kib
    assert rest == 4 * 769 * 10


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_every_number_of_bits_takes_just_these(bits, vit_b):
    assert data_bytes("bi_adaptformer", vit_b, bits=bits)[0] == 24 * (768 * 32 * bits // 8 + 8)


def test_a_one_bit_head_takes_96_bytes_a_class_and_8(vit_b):
    plain, _ = data_bytes("bi_lora", vit_b, classes=10)
    assert data_bytes("bi_lora", vit_b, classes=10, head_bits=1) == (plain + 96 * 10 + 8, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("head_bits", [32, 1])
def test_a_file_answers_bit_for_bit_as_the_adapter_that_was_trained(name, bits, head_bits, tiny):
    adapter = trained(name, tiny, bits=bits, head_bits=head_bits, hidden=3)
    file = dump(adapter, card(adapter, tiny))
    again = loaded(file, tiny)
    with torch.no_grad():
        expected, found = (attach(tiny, a).eval()(images()) for a in (adapter, again))
    assert expected.abs().max() > 0 and torch.equal(found, expected)
    assert all(getattr(m, "bits", 32) == 32 for m in again.modules())


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_pack_then_unpack_is_the_quantised_tensor(bits, tiny):
    """Also where the codes do not fill the last byte: 5 classes of 47 features are 235 codes."""
    backbone = random_vit(depth=1, width=45)
    adapter = new("bi_lora", backbone, bits=bits, hidden=1, head_bits=1)
    held = pack(adapter)
    found = unpack(adapter, held)
    assert held["codes"].numel() == 4 * -(-45 * bits // 8) + -(-5 * 45 // 8)
    for path in ("deltas.blocks/0/q.down", "deltas.blocks/0/v.up"):
        assert torch.equal(found[path], quantised(adapter.state()[path], bits))
    assert torch.equal(found["head.weight"], quantised(adapter.head.weight, 1))
    assert list(found) == list(adapter.state())


def test_the_first_code_of_a_byte_takes_its_lowest_bits(tiny):
    adapter = new("bi_adaptformer", tiny, bits=2, hidden=1)
    down = next(iter(adapter.by_site().values())).down
    down.data[:] = torch.tensor([-9.0, -1.0, 1.0, 9.0] * 12)
    assert set(pack(adapter)["codes"][:12].tolist()) == {0b11_10_01_00}


def test_the_header_stays_small(tiny):
    """Packed into few tensors: a name and a shape in the header for each of 48 matrices would be 5 kB."""
    adapter = new("bi_lora", tiny, hidden=1)
    assert set(pack(adapter)) == {"codes", "statistics", "head.weight", "head.bias"}
    file = dump(adapter, card(adapter, tiny))
    assert int.from_bytes(file[:8], "little") < 16 * 1024


def test_the_cost_of_a_run_knows_the_packed_size(vit_b):
    about = cost(RunSpec("bi_lora", {"head_bits": 1}), vit_b, 10)
    assert about.file_bytes == 48 * (768 * 32 // 8 + 8) + 96 * 10 + 8 + CARD_BYTES


def test_a_loaded_adapter_is_not_packed_a_second_time(tiny):
    adapter = new("bi_lora", tiny)
    about = card(adapter, tiny)
    again = loaded(dump(adapter, about), tiny)
    with pytest.raises(BadValue, match="with_card"):
        dump(again, about)


@pytest.mark.parametrize("from_file", [False, True])
def test_merged_weights_are_the_quantised_ones_and_timm_reads_them(from_file, tiny):
    import timm

    adapter = trained("bi_lora", tiny, head_bits=1)
    file = dump(adapter, card(adapter, tiny))
    source = loaded(file, tiny) if from_file else adapter
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
    model = timm.create_model("vit_tiny_patch16_224", num_classes=5, **shape).eval()
    model.load_state_dict(merged_tensors(tiny, source))
    with torch.no_grad():
        expected = attach(tiny, adapter).eval()(images())
        assert (model(images()) - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_merging_leaves_the_adapter_training(tiny):
    adapter = new("bi_lora", tiny)
    before = {n: t.clone() for n, t in adapter.state().items()}
    merge(tiny, adapter)
    assert all(torch.equal(t, before[n]) for n, t in adapter.state().items())
    assert {d.bits for d in adapter.by_site().values()} == {1}


HOSTILE = {
    "codes cut short": (lambda t: t.update(codes=t["codes"][:-1]), "codes is U8"),
    "codes of another type": (lambda t: t.update(codes=t["codes"].float()), "codes is F32"),
    "too many statistics": (lambda t: t.update(statistics=torch.zeros(99, 2)), "statistics is F32"),
    "no statistics": (lambda t: t.pop("statistics"), "lacks tensor 'statistics'"),
    "a plain matrix": (
        lambda t: t.update({"deltas.blocks/0/q.up": torch.zeros(48, 32)}),
        "unexpected tensor",
    ),
    "a mean that is no number": (lambda t: t["statistics"][0, 0].fill_(float("nan")), "not finite"),
    "a deviation that overflows": (lambda t: t["statistics"].fill_(3e38), "not finite"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_packed_file_is_refused(case, tiny):
    change, said = HOSTILE[case]
    adapter = new("bi_lora", tiny, bits=8)
    file = dump(adapter, card(adapter, tiny))
    tensors = {n: t.clone() for n, t in parse(file).items()}
    change(tensors)
    with pytest.raises(BadAdapter, match=said):
        loaded(save(tensors, metadata(file)), tiny)


def test_more_bits_on_the_card_than_in_the_file_are_refused(tiny):
    adapter = new("bi_lora", tiny)
    file = dump(adapter, card(adapter, tiny))
    about = card(adapter, tiny).to_json()
    about["knobs"] |= {"bits": 8}
    with pytest.raises(BadAdapter, match="codes is U8"):
        load(AdapterFile.parse(file).with_card(AdapterCard.from_json(about)), tiny)


def metadata(file: bytes) -> dict:
    return json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])["__metadata__"]
