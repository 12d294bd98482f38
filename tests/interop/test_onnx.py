"""ONNX files answer as the project does, in onnxruntime: pictures of any size in, answers out."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from small import card, disturbed, new

from peft_demo.contracts.doubt import LIMIT
from peft_demo.contracts.errors import CannotExport
from peft_demo.data.tensors import to_tensor
from peft_demo.inference.attached import Attached
from peft_demo.interop import to_onnx

WAYS = {
    "lora": True,
    "rlrr": True,
    "adaptformer": False,
    "vpt_deep": False,
    "bi_adaptformer": False,
}
"""Method → whether it is folded in."""

SIZES = ((32, 32), (200, 90), (20, 41), (640, 480))
"""(width, height) of pictures that are enlarged, shrunk, squeezed and left as they are."""


def pictures(size: tuple[int, int], n: int) -> list[Image.Image]:
    """`n` random pictures of this size, with edges and with noise."""
    generator = np.random.default_rng(size[0])
    rough = generator.integers(0, 256, (n, 7, 9, 3), dtype=np.uint8)
    fine = generator.integers(-20, 20, (n, size[1], size[0], 3))
    large = [
        np.asarray(Image.fromarray(one).resize(size, Image.Resampling.NEAREST)) for one in rough
    ]
    noisy = np.clip(np.stack(large) + fine, 0, 255).astype(np.uint8)
    return [Image.fromarray(one) for one in noisy]


def opened(content: bytes):
    """(session, metadata) in onnxruntime."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    words = session.get_modelmeta().custom_metadata_map
    return session, {key: json.loads(value) for key, value in words.items()}


@pytest.fixture
def packages():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")


@pytest.mark.parametrize("name", WAYS)
def test_pictures_of_any_size_are_answered_as_here(name, tiny, packages):
    adapter = disturbed(new(name, tiny))
    content, merged = to_onnx(tiny, adapter, card(adapter, tiny))
    assert merged == WAYS[name]
    session, _ = opened(content)
    attached = Attached.of(tiny, adapter, card(adapter, tiny))
    for number, size in enumerate(SIZES):
        some = pictures(size, number + 1)
        squares = torch.stack([to_tensor(picture, tiny.size) for picture in some])
        expected = attached.answer(squares).probabilities
        logits, probabilities = session.run(None, {"images": np.stack(some)})
        assert np.allclose(probabilities, expected.numpy(), atol=1e-4)
        assert np.allclose(torch.tensor(logits).softmax(-1), probabilities, atol=1e-6)


def test_doubt_comes_along_where_the_adapter_knows_it(tiny, packages):
    adapter = disturbed(new("lora", tiny))
    generator = torch.Generator().manual_seed(0)
    means = torch.randint(-127, 128, (5, tiny.anatomy.features), generator=generator)
    adapter.class_means = means.to(torch.int8)
    known = (0.4, 0.7, 0.7, 0.75, 0.8, 1.1)
    its_card = replace(card(adapter, tiny), doubt=known)
    session, metadata = opened(to_onnx(tiny, adapter, its_card)[0])
    some = pictures((60, 40), 6)
    squares = torch.stack([to_tensor(picture, tiny.size) for picture in some])
    expected = Attached.of(tiny, adapter, its_card).answer(squares).doubts
    assert expected.min() > 0 and expected.max() < 1  # not all at one end
    (doubt,) = session.run(["doubt"], {"images": np.stack(some)})
    assert np.allclose(doubt, expected.numpy(), atol=1e-3)
    assert metadata["limit"] == LIMIT


def test_the_metadata_says_what_a_program_needs(tiny, packages):
    adapter = disturbed(new("lora", tiny))
    its_card = replace(card(adapter, tiny), window=(0, 4095), ground="black")
    session, metadata = opened(to_onnx(tiny, adapter, its_card)[0])
    assert [output.name for output in session.get_outputs()] == ["logits", "probabilities"]
    assert session.get_inputs()[0].shape == ["batch", "height", "width", 3]
    assert metadata["classes"] == list("abcde")
    assert (metadata["window"], metadata["ground"]) == ([0, 4095], "black")
    assert "mean" not in metadata  # nobody shall normalise twice
    assert (metadata["method"], metadata["size"], metadata["fingerprint"]) == (
        "lora",
        32,
        tiny.fingerprint,
    )


def test_without_the_packages_it_says_what_to_install(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    adapter = new("lora", tiny)
    with pytest.raises(CannotExport, match=r"Run `pip install onnx onnxscript`"):
        to_onnx(tiny, adapter, card(adapter, tiny))
