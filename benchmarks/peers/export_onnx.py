"""Write a model as an ONNX graph: ``python -m benchmarks.peers.export_onnx MODEL CHECK TARGET``.

The graph takes gray levels from 0 to 1, light on black, of shape (n, 784), and gives calibrated
probabilities. CHECK is an .npz with such ``images`` and our ``probabilities`` of them: the script
fails where ONNX Runtime's differ by more than 1e-5.
"""

import json
import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

TOLERANCE = 1e-5


class Graph:
    """Nodes in a row, each fed by the one before it and by its own constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last = "images"

    def add(self, kind: str, *constants: Any, **attributes: Any) -> None:
        """Append a node."""
        name = f"{kind}_{len(self.nodes)}"
        inputs = [f"{name}_{index}" for index in range(len(constants))]
        self.constants += map(numpy_helper.from_array, map(np.ascontiguousarray, constants), inputs)
        self.nodes.append(helper.make_node(kind, [self.last, *inputs], [name], name, **attributes))
        self.last = name

    def add_layer(self, config: dict[str, Any], weights: Any, biases: Any) -> None:
        """Append one of our layers; images have their channels first here, and last in ours."""
        match config["type"]:
            case "Image":
                self.add("Reshape", np.array([-1, 1, config["height"], config["width"]]))
            case "Conv2D":
                margins = [config["kernel_size"] // 2] * 4
                self.add("Conv", weights.transpose(3, 2, 0, 1), biases, pads=margins)
            case "MaxPool2D":
                self.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
            case "Flatten":
                self.add("Transpose", perm=[0, 2, 3, 1])
                self.add("Flatten")
            case "Dense":
                self.add("Gemm", weights, biases)
            case "Dropout":
                pass  # of training alone
            case activation:
                self.add({"ReLU": "Relu", "Tanh": "Tanh"}[activation])

    def model(self) -> onnx.ModelProto:
        """Return the whole."""
        image, answer = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
            for name, size in (("images", 784), (self.last, 10))
        )
        graph = helper.make_graph(self.nodes, "digits", [image], [answer], self.constants)
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def convert(path: str) -> onnx.ModelProto:
    """Read a model's file and make its graph."""
    with safe_open(path, "np") as file:
        document = json.loads(file.metadata()["digit_classifier"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    graph, scaling = Graph(), document["input_scaling"]
    graph.add("Mul", np.float32(255 * scaling["scale"]))
    graph.add("Add", np.float32(scaling["offset"]))
    for index, config in enumerate(document["architecture"]):
        graph.add_layer(config, arrays.get(f"{index}.weights"), arrays.get(f"{index}.biases"))
    graph.add("Div", np.float32(document["temperature"]))
    graph.add("Softmax", axis=1)
    return graph.model()


def main(source: str, check: str, target: str) -> None:
    """Convert, compare and write."""
    model = convert(source)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    with np.load(check) as expected:
        (found,) = session.run(None, {"images": expected["images"]})
        difference = np.abs(found - expected["probabilities"]).max()
    if not difference <= TOLERANCE:
        sys.exit(f"{target} differs from {source} by {difference:.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
