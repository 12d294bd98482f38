"""The 1-bit files of the paper's release: built byte by byte here, and real ones where they are at
hand."""

import struct
from dataclasses import replace
from itertools import pairwise
from random import Random
from statistics import NormalDist

import pytest
import torch
from small import images
from torch.nn import functional as F

from peft_demo.adapters import attach, load, meta_adapter
from peft_demo.adapters.codec import STATISTICS, unpack
from peft_demo.contracts.errors import BadAdapter, BadValue
from peft_demo.contracts.specs import ImportHints
from peft_demo.interop import convert, with_defaults
from peft_demo.interop.binary_release import from_binary_release
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

WIDTH = 48
BLOCKS = 2
HIDDEN = 2
CLASSES = ("cat", "dog", "owl")
normal = NormalDist()


def levels(bits):
    """The release's: from 2^bits zeros, 500 rounds of "the median of the cell, with cells that end
    halfway between levels"."""
    values = [0.0] * 2**bits
    for _ in range(500):
        edges = [0.0, *(normal.cdf((a + b) / 2) for a, b in pairwise(values)), 1.0]
        values = [normal.inv_cdf((a + b) / 2) for a, b in pairwise(edges)]
    return values


class Release:
    """A file as the release writes one, and the dense matrices its formula gives for it."""

    def __init__(self, matrices: int, bits: int, head_bits: int):
        self.random = Random(bits)
        self.content = b""
        self.dense = []
        for _ in range(BLOCKS * matrices // 2):
            for rows, columns in ((HIDDEN, WIDTH), (WIDTH, HIDDEN)):
                self.dense.append(self.packed(rows, columns, bits))
        if head_bits == 1:
            self.head = (
                self.packed(len(CLASSES), WIDTH, 1),
                torch.zeros(len(CLASSES), dtype=torch.float64),
            )
        else:
            self.head = self.plain(len(CLASSES), WIDTH), self.plain(1, len(CLASSES))[0]

    def packed(self, rows, columns, bits):
        """Codes, least significant first within a byte, then mean and deviation.

        Returns the matrix that they stand for.
        """
        codes = [self.random.randrange(2**bits) for _ in range(rows * columns)]
        per_byte = 8 // bits
        for first in range(0, len(codes), per_byte):
            self.content += bytes(
                [sum(c * 2 ** (bits * j) for j, c in enumerate(codes[first : first + per_byte]))]
            )
        mean, std = self.floats(2, 0.01)
        table = levels(bits)
        return torch.tensor([table[c] * abs(std) + mean for c in codes], dtype=torch.float64).view(
            rows, columns
        )

    def plain(self, rows, columns):
        return torch.tensor(self.floats(rows * columns, 0.1), dtype=torch.float64).view(
            rows, columns
        )

    def floats(self, n, by):
        """`n` float32 numbers; a deviation must be positive, so all are."""
        raw = struct.pack(f"<{n}f", *(by * (1 + self.random.random()) for _ in range(n)))
        self.content += raw
        return struct.unpack(f"<{n}f", raw)


KINDS = {"bi_lora": 4, "bi_adaptformer": 2}


def hints_for(name, bits=1, head_bits=32, **more):
    knobs = {"hidden": HIDDEN, "bits": bits, "head_bits": head_bits, "scale": 10.0}
    return replace(ImportHints(method=name, knobs=knobs, classes=CLASSES), **more)


def taken_in(file, backbone, hints):
    converted = convert(file, with_defaults(file, hints), backbone)
    return load(converted, backbone), converted.card


@pytest.mark.parametrize("head_bits", [32, 1])
@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("name", KINDS)
def test_deltas_and_head_are_the_release_s_formula(name, bits, head_bits, tiny, tmp_path):
    release = Release(KINDS[name], bits, head_bits)
    file = tmp_path / "cats-bit.bin"
    file.write_bytes(release.content)
    adapter, card = taken_in(file, tiny, hints_for(name, bits, head_bits))
    assert (card.name, card.classes) == ("cats-bit", CLASSES)

    adapter = adapter.double()
    x = torch.randn(2, 5, WIDTH, dtype=torch.float64)
    matrices = iter(release.dense)
    sites = [
        f"blocks.{i}.{role}"
        for i in range(BLOCKS)
        for role in (("q", "v") if name == "bi_lora" else ("mlp",))
    ]
    assert list(adapter.by_site()) == sites
    for site in sites:
        down = next(matrices)
        up = next(matrices)
        z = x @ down.T if name == "bi_lora" else (x @ down.T).relu()
        expected = x + 10.0 * (z @ up.T)
        assert torch.allclose(
            adapter.by_site()[site](torch.nn.Identity(), x), expected, rtol=1e-5, atol=1e-7
        )
    features = torch.randn(3, WIDTH, dtype=torch.float64)
    assert torch.allclose(
        adapter.head(features), F.linear(features, *release.head), rtol=1e-5, atol=1e-6
    )


def test_it_wants_images_that_are_not_normalised_and_answers(tiny, tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(Release(4, 1, 1).content)
    adapter, card = taken_in(file, tiny, hints_for("bi_lora", head_bits=1))
    assert card.mean == (0, 0, 0) and card.std == (1, 1, 1)
    assert attach(tiny, adapter)(images()).shape == (4, 3)


def test_our_file_of_it_has_a_bit_for_a_bit(tiny, tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(Release(4, 1, 1).content)

    tensors = convert(file, with_defaults(file, hints_for("bi_lora", head_bits=1)), tiny).tensors()
    assert sum(t.nbytes for t in tensors.values()) == len(file.read_bytes())


WRONG = {
    "no method": ({"method": ""}, "--method"),
    "another method": ({"method": "lora"}, "not 'lora'"),
    "no scale": ({"knobs": {"hidden": HIDDEN}}, "scale"),
    "no classes": ({"classes": ()}, "--classes"),
    "the same class twice": ({"classes": ("a", "a", "b")}, "same name"),
    "another number of classes": ({"classes": ("a", "b")}, r"2 classes\s+takes"),
    "another width": ({"knobs": {"hidden": 4, "scale": 1.0}}, "hidden=4"),
    "8 bits": ({"knobs": {"hidden": HIDDEN, "scale": 1.0, "bits": 8}}, "1, 2 or 4 bits"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused_with_a_sentence(changes, sentence, tiny, tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(Release(4, 1, 32).content)
    with pytest.raises((BadAdapter, BadValue), match=sentence):
        taken_in(file, tiny, hints_for("bi_lora", **changes))


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b""], ids=["cut", "longer", "empty"]
)
def test_another_length_is_refused(change, tiny, tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(change(Release(4, 1, 32).content))
    with pytest.raises(BadAdapter, match="bytes"):
        taken_in(file, tiny, hints_for("bi_lora"))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_called_one_and_says_how_to_convert_it(zipped, tiny, tmp_path):
    file = tmp_path / "adapter_model.bin"
    torch.save({"a": torch.zeros(3)}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(BadAdapter, match=r"never loaded.*safe_serialization=True"):
        with_defaults(file, hints_for("bi_lora"))


REAL = {
    "adaptformer-bihead_eurosat-bit1-dim32": ("bi_adaptformer", 32, 1, 10),
    "adaptformer-bihead_svhn-bit1-dim1": ("bi_adaptformer", 1, 1, 10),
    "lora-bihead_eurosat-bit1-dim1": ("bi_lora", 1, 1, 10),
    "lora_kitti-bit1-dim32": ("bi_lora", 32, 32, 4),
}


@pytest.mark.assets
@pytest.mark.parametrize("file", REAL)
def test_a_real_file_is_read_to_the_last_byte_and_looks_trained(file, assets):
    name, hidden, head_bits, classes = REAL[file]
    method = find_method(name)
    anatomy = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    adapter = meta_adapter(
        method, method.config({"hidden": hidden, "head_bits": head_bits}), anatomy, classes
    )
    tensors = from_binary_release((assets / "onebit" / f"{file}.bin").read_bytes(), adapter)
    mean, std = tensors[STATISTICS].unbind(dim=1)
    assert (std > 0.003).all() and (std < 0.5).all() and (mean.abs() < 0.3 * std).all()
    state = unpack(adapter, tensors)
    for name, W in state.items():
        if name.startswith("deltas"):
            assert abs((W.mean() < W).double().mean() - 0.5) < 0.1, "as many ones as zeros"
    assert all(torch.isfinite(W).all() for W in state.values())
