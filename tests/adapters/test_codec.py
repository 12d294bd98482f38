"""The codec: what files hold of quantised adapters, to the byte, and that it comes back."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import timm
import torch
from safetensors.torch import load as parse
from safetensors.torch import save
from small import card, images, loaded, logits, new, random_vit, trained
from torch import Tensor, nn
from torch.nn import functional as F

from peft_demo.adapters import (
    AdapterFile,
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
from peft_demo.methods import Method, Parts, find_method, methods
from peft_demo.methods.bi.levels import quantised
from peft_demo.methods.lora import LoRA
from peft_demo.training.cost import CARD_BYTES, cost
from peft_demo.vit import Anatomy, Backbone, Site, anatomy_of
from peft_demo.vit.catalogue import Source

NAMES = ("bi_lora", "bi_adaptformer")
PACKED = ("codes", "statistics")


@pytest.fixture(scope="module")
def vit_b() -> Anatomy:
    return anatomy_of(Source("b", "b", "vit_base_patch16_224"))


def data_bytes(name: str, anatomy: Anatomy, classes: int = 10, **values: object) -> tuple[int, int]:
    """Bytes of the packed tensors and of all others in a file for this anatomy."""
    method = find_method(name)
    tensors = pack(meta_adapter(method, method.config(values), anatomy, classes))
    packed = sum(t.nbytes for name, t in tensors.items() if name in PACKED)
    return packed, sum(t.nbytes for t in tensors.values()) - packed


@pytest.mark.parametrize(
    ("name", "hidden", "kib"),
    [
        ("bi_adaptformer", 32, 72.2),
        ("bi_lora", 32, 144.4),
        ("bi_adaptformer", 1, 2.4),
        ("bi_lora", 1, 4.9),
    ],
)
def test_one_bit_files_have_the_paper_s_size(name: str, hidden: int, kib: float, vit_b: Anatomy):
    packed, rest = data_bytes(name, vit_b, hidden=hidden)
    matrices = 24 if name == "bi_adaptformer" else 48
    assert packed == matrices * (768 * hidden // 8 + 8)
    assert round(packed / 1024, 1) == kib
    assert rest == 4 * 769 * 10


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_every_number_of_bits_takes_just_these(bits: int, vit_b: Anatomy):
    packed, _ = data_bytes("bi_adaptformer", vit_b, bits=bits)
    assert packed == 24 * (768 * 32 * bits // 8 + 8)


def test_a_one_bit_head_takes_96_bytes_a_class_and_8(vit_b: Anatomy):
    packed, _ = data_bytes("bi_lora", vit_b, classes=10)
    assert data_bytes("bi_lora", vit_b, classes=10, head_bits=1) == (packed + 96 * 10 + 8, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("head_bits", [32, 1])
def test_a_file_answers_bit_for_bit_as_the_adapter_that_was_trained(
    name: str, bits: int, head_bits: int, tiny: Backbone
):
    adapter = trained(name, tiny, bits=bits, head_bits=head_bits, hidden=3)
    from_file = loaded(dump(adapter, card(adapter, tiny)), tiny)
    expected = logits(tiny, adapter)
    assert expected.abs().max() > 0
    assert torch.equal(logits(tiny, from_file), expected)
    assert all(getattr(module, "codec", None) is None for module in from_file.modules())


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_pack_then_unpack_is_the_quantised_tensor(bits: int):
    """Also where the codes do not fill the last byte: 5 classes of 45 features are 225 codes."""
    backbone = random_vit(depth=1, width=45)
    adapter = new("bi_lora", backbone, bits=bits, hidden=1, head_bits=1)
    tensors = pack(adapter)
    state = unpack(adapter, tensors)
    assert tensors["codes"].numel() == 4 * -(-45 * bits // 8) + -(-5 * 45 // 8)
    for path in ("deltas.blocks/0/q.down", "deltas.blocks/0/v.up"):
        assert torch.equal(state[path], quantised(adapter.state()[path], bits))
    assert torch.equal(state["head.weight"], quantised(adapter.head.weight, 1))
    assert list(state) == list(adapter.state())


def test_the_first_code_of_a_byte_takes_its_lowest_bits(tiny: Backbone):
    adapter = new("bi_adaptformer", tiny, bits=2, hidden=1)
    down = next(iter(adapter.by_site().values())).down
    down.data[:] = torch.tensor([-9.0, -1.0, 1.0, 9.0] * 12)
    assert set(pack(adapter)["codes"][:12].tolist()) == {0b11_10_01_00}


def test_the_header_stays_small(tiny: Backbone):
    """Few tensors: a name and a shape in the header for each of 48 matrices would be 5 kB."""
    adapter = new("bi_lora", tiny, hidden=1)
    assert set(pack(adapter)) == {"codes", "statistics", "head.weight", "head.bias"}
    file = dump(adapter, card(adapter, tiny))
    assert int.from_bytes(file[:8], "little") < 16 * 1024


def test_the_cost_of_a_run_knows_the_packed_size(vit_b: Anatomy):
    file_bytes = cost(RunSpec("bi_lora", {"head_bits": 1}), vit_b, 10).file_bytes
    matrices = 48 * (768 * 32 // 8 + 8)
    head = 96 * 10 + 8
    class_means = 768 * 10
    assert file_bytes == matrices + head + class_means + CARD_BYTES


def test_a_loaded_adapter_is_not_packed_a_second_time(tiny: Backbone):
    adapter = new("bi_lora", tiny)
    its_card = card(adapter, tiny)
    from_file = loaded(dump(adapter, its_card), tiny)
    with pytest.raises(BadValue, match="with_card"):
        dump(from_file, its_card)


@pytest.mark.parametrize("from_file", [False, True])
def test_merged_weights_are_the_quantised_ones_and_timm_reads_them(from_file: bool, tiny: Backbone):
    adapter = trained("bi_lora", tiny, head_bits=1)
    file = dump(adapter, card(adapter, tiny))
    source = loaded(file, tiny) if from_file else adapter
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3}
    model = timm.create_model("vit_tiny_patch16_224", num_classes=5, **shape).eval()
    model.load_state_dict(merged_tensors(tiny, source))
    expected = logits(tiny, adapter)
    with torch.no_grad():
        assert (model(images()) - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_merging_leaves_the_adapter_training(tiny: Backbone):
    adapter = new("bi_lora", tiny)
    before = {name: tensor.clone() for name, tensor in adapter.state().items()}
    merge(tiny, adapter)
    assert all(torch.equal(t, before[name]) for name, t in adapter.state().items())
    assert {delta.codec.bits for delta in adapter.by_site().values()} == {1}


@dataclass(frozen=True)
class Rounded:
    """The codec of a second quantised method: 8 bits a number, W ≈ scale · integer."""

    def quantise(self, W: Tensor) -> Tensor:
        scale = W.detach().abs().max() / 127
        steps = W / scale
        straight = steps.detach().round() + (steps - steps.detach())
        return straight * scale

    def pack(self, W: Tensor) -> tuple[Tensor, Tensor]:
        scale = W.abs().max() / 127
        integers = (W / scale).round().to(torch.int8)
        return integers.flatten().view(torch.uint8), scale[None]

    def size(self, shape: torch.Size) -> int:
        return shape.numel()

    def unpack(self, data: Tensor, statistics: Tensor, shape: torch.Size) -> Tensor:
        return data.view(torch.int8).float().view(shape) * statistics[0]


class RoundedLoRA(LoRA):
    """A LoRA that computes with B rounded to 8 bits, and keeps A in full."""

    matrices = ("up",)

    def __init__(self, site: Site, config: object):
        super().__init__(site, config)
        self.codec = Rounded()
        nn.init.normal_(self.up)

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        up = self.up if self.codec is None else self.codec.quantise(self.up)
        return f(x) + F.linear(F.linear(x, self.down), up)

    def low_rank(self, f: nn.Linear) -> None:
        return None


@pytest.fixture
def rounded_lora(monkeypatch: pytest.MonkeyPatch) -> Method:
    """A second quantised method, as one file would add it; found for as long as the test lasts."""

    def build(anatomy: Anatomy, config: object) -> Parts:
        return Parts({site.name: RoundedLoRA(site, config) for site in anatomy.at("q", "v")})

    method = replace(find_method("lora"), name="rounded_lora", build=build)
    monkeypatch.setitem(methods(), "rounded_lora", method)
    return method


def test_a_second_quantised_method_brings_its_own_codec(rounded_lora: Method, tiny: Backbone):
    adapter = trained(rounded_lora.name, tiny)
    file = dump(adapter, card(adapter, tiny))
    tensors = parse(file)
    up = [name for name in adapter.state() if name.endswith(".up")]
    assert tensors["codes"].nbytes == len(up) * 48 * 8
    assert tensors["statistics"].shape == (len(up), 1)
    assert not set(up) & set(tensors)
    from_file = loaded(file, tiny)
    assert torch.equal(logits(tiny, from_file), logits(tiny, adapter))
    assert not torch.equal(from_file.state()[up[0]], adapter.state()[up[0]])


Tensors = dict[str, Tensor]


def short_codes(tensors: Tensors) -> None:
    tensors["codes"] = tensors["codes"][:-1]


def codes_of_another_type(tensors: Tensors) -> None:
    tensors["codes"] = tensors["codes"].float()


def too_many_statistics(tensors: Tensors) -> None:
    tensors["statistics"] = torch.zeros(99, 2)


def no_statistics(tensors: Tensors) -> None:
    del tensors["statistics"]


def a_matrix_in_full(tensors: Tensors) -> None:
    tensors["deltas.blocks/0/q.up"] = torch.zeros(48, 32)


def a_mean_that_is_not_a_number(tensors: Tensors) -> None:
    tensors["statistics"][0, 0] = float("nan")


def a_deviation_that_overflows(tensors: Tensors) -> None:
    tensors["statistics"].fill_(3e38)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (short_codes, "codes is U8"),
        (codes_of_another_type, "codes is F32"),
        (too_many_statistics, "statistics is F32"),
        (no_statistics, "lacks tensor 'statistics'"),
        (a_matrix_in_full, "unexpected tensor"),
        (a_mean_that_is_not_a_number, "not a finite"),
        (a_deviation_that_overflows, "not a finite"),
    ],
)
def test_a_hostile_packed_file_is_refused(
    spoil: Callable[[Tensors], None], sentence: str, tiny: Backbone
):
    adapter = new("bi_lora", tiny, bits=8)
    file = dump(adapter, card(adapter, tiny))
    tensors = {name: tensor.clone() for name, tensor in parse(file).items()}
    spoil(tensors)
    with pytest.raises(BadAdapter, match=sentence):
        loaded(save(tensors, metadata(file)), tiny)


def test_more_bits_on_the_card_than_in_the_file_are_refused(tiny: Backbone):
    adapter = new("bi_lora", tiny)
    file = dump(adapter, card(adapter, tiny))
    plain = card(adapter, tiny).to_json()
    plain["knobs"]["bits"] = 8
    with pytest.raises(BadAdapter, match="codes is U8"):
        load(AdapterFile.parse(file).with_card(AdapterCard.from_json(plain)), tiny)


def metadata(file: bytes) -> dict[str, str]:
    """The metadata in the header of a safetensors file."""
    size = int.from_bytes(file[:8], "little")
    return json.loads(file[8 : 8 + size])["__metadata__"]
