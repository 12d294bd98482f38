"""An ONNX graph that takes pictures as they are decoded: what has to be done to them stands in the
file, so that no program can do it differently.

uint8 `images` [B H W 3], RGB, of any size (one size a batch), are squeezed to a square as Pillow
does it (bicubic with a = -0.5, antialiased, rounded to uint8), then scaled and normalised.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

NAME = "images"
SHAPE = ("batch", "height", "width", 3)


def take_pictures(proto: Any, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
    """Puts the preparation before the graph of `proto`, an onnx.ModelProto with one fp32 input
    [B 3 S S]; its input is `images` afterwards.
    """
    import onnx
    from onnx import helper

    graph = proto.graph
    inner = graph.input[0].name
    prepared = f"{inner}/normalised"
    for node in graph.node:
        node.input[:] = [prepared if name == inner else name for name in node.input]
    scaled = np.float32(255) * np.asarray(std, np.float32)
    shift = np.float32(255) * np.asarray(mean, np.float32)
    constants = {
        "square": np.array([size, size], np.int64),
        "shift": shift.reshape(1, 3, 1, 1),
        "scaled": scaled.reshape(1, 3, 1, 1),
    }
    graph.initializer.extend(
        onnx.numpy_helper.from_array(value, f"prepare/{name}") for name, value in constants.items()
    )
    nodes = [
        helper.make_node("Transpose", [NAME], ["prepare/rows"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "Resize",
            ["prepare/rows", "", "", "prepare/square"],
            ["prepare/resized"],
            mode="cubic",
            cubic_coeff_a=-0.5,
            antialias=1,
            exclude_outside=1,
            axes=[2, 3],
        ),
        helper.make_node("Cast", ["prepare/resized"], ["prepare/float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Sub", ["prepare/float", "prepare/shift"], ["prepare/centred"]),
        helper.make_node("Div", ["prepare/centred", "prepare/scaled"], [prepared]),
    ]
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(NAME, onnx.TensorProto.UINT8, SHAPE))
