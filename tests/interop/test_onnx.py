"""ONNX files answer as torch does, in onnxruntime, for any number of images."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from small import card, disturbed, images, new

from peft_demo.adapters import attach
from peft_demo.contracts.errors import CannotExport
from peft_demo.data.tensors import RESIZED
from peft_demo.interop import to_onnx

WAYS = {
    "lora": True,
    "rlrr": True,
    "adaptformer": False,
    "vpt_deep": False,
    "bi_adaptformer": False,
}
"""Method → whether it is folded in."""


@pytest.mark.parametrize("name", WAYS)
def test_onnxruntime_answers_as_torch_does(name, tiny):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    adapter = disturbed(new(name, tiny))
    its_card = replace(card(adapter, tiny), window=(0, 4095), ground="black")
    content, merged = to_onnx(tiny, adapter, its_card)
    assert merged == WAYS[name]
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    model = attach(tiny, adapter).eval()
    for n in (1, 2, 5):
        with torch.no_grad():
            expected = model(images(n))
        (logits,) = session.run(["logits"], {"images": images(n).numpy()})
        assert torch.allclose(torch.from_numpy(logits), expected, atol=1e-5)
    metadata = {
        key: json.loads(value) for key, value in session.get_modelmeta().custom_metadata_map.items()
    }
    assert metadata["classes"] == list("abcde") and metadata["mean"] == metadata["std"] == [
        0.5,
        0.5,
        0.5,
    ]
    assert (metadata["window"], metadata["ground"]) == ([0, 4095], "black")
    assert metadata["resize"] == RESIZED and "interpolation" not in metadata
    assert (metadata["method"], metadata["size"], metadata["fingerprint"]) == (
        name,
        32,
        tiny.fingerprint,
    )


def test_without_the_packages_it_says_what_to_install(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    adapter = new("lora", tiny)
    with pytest.raises(CannotExport, match=r"Run `pip install onnx onnxscript`"):
        to_onnx(tiny, adapter, card(adapter, tiny))
