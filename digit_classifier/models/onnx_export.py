"""Write a model as ONNX, for other engines: its input scaling, its network, its calibration.

The graph's input is that of the Open Inference Protocol here: ``images``, float32 of shape
(n, height, width) from 0 to 1, framed as MNIST's digits are, light ink on black. Its outputs are
``probabilities``, float32 of shape (n, 10), and ``digits``, int64 of shape (n,). It does not frame
images.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import MissingPackageError, ModelError
from digit_classifier.models.model import Model
from digit_classifier.models.store import write_atomic
from digit_classifier.neural_network.network import Network
from digit_classifier.preprocessing.vectorize import (
    EXTENT,
    MAX_FACTOR,
    MAX_SLANT,
    MIN_FACTOR,
    MIN_LEVEL,
    MIN_VARIANCE,
)

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as exc:
    raise MissingPackageError(
        "Models are exported by onnx: pip install 'digit-classifier[onnx]'."
    ) from exc

#: Since this version, the reductions have their axes as an input.
_OPSET = 18
#: Version of the format; onnxruntime 1.17 and later read it.
_IR_VERSION = 9


class _Graph:
    """Collects nodes and constants; each method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))


def export_onnx(model: Model, path: Path) -> None:
    """Write a model file in ONNX's format, atomically, after ONNX's own checks.

    Raises
    ------
    ModelError
        The classifier is not one of the package's networks.
    """
    if not isinstance(model.classifier, Network):
        raise ModelError(f"A {model.metadata.classifier!r} is not a network, and has no ONNX form.")
    graph, metadata = _Graph(), model.metadata
    value = _scaled_vectors(graph, model)
    for layer in model.classifier.layers:
        value = _LAYERS[type(layer).__name__](graph, value, layer)
    logits = graph.add("Div", value, graph.number(metadata.temperature))
    probabilities = graph.add("Softmax", logits, axis=1)
    best = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    labels = graph.constant(np.array(metadata.class_labels, np.int64))
    digits = graph.add("Gather", labels, best, axis=0)
    for name, result in (("probabilities", probabilities), ("digits", digits)):
        graph.nodes.append(helper.make_node("Identity", [result], [name]))
    document = helper.make_model(
        helper.make_graph(
            graph.nodes,
            model.name,
            [_tensor("images", TensorProto.FLOAT, "n", *metadata.image_shape)],
            [
                _tensor("probabilities", TensorProto.FLOAT, "n", len(metadata.class_labels)),
                _tensor("digits", TensorProto.INT64, "n"),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="digit-classifier",
    )
    helper.set_model_props(
        document,
        {
            "name": model.name,
            "version": model.version,
            "min_confidence": repr(metadata.min_confidence),
        },
    )
    onnx.checker.check_model(document, full_check=True)
    write_atomic(path, document.SerializeToString())


def _tensor(name: str, kind: int, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _scaled_vectors(graph: _Graph, model: Model) -> str:
    """Add what `vectorize` does: flatten, invert what is dark on light, scale."""
    scaling = model.metadata.input_scaling
    levels = graph.add("Flatten", graph.add("Mul", "images", graph.number(255)), axis=1)
    if scaling.on_black:
        axis = graph.integers(1)
        lowest, highest, mean = (
            graph.add(kind, levels, axis, keepdims=1)
            for kind in ("ReduceMin", "ReduceMax", "ReduceMean")
        )
        middle = graph.add("Mul", graph.add("Add", lowest, highest), graph.number(0.5))
        inverted = graph.add("Sub", graph.number(255), levels)
        levels = graph.add("Where", graph.add("Greater", mean, middle), inverted, levels)
    if scaling.upright:
        levels = _upright(graph, levels, *model.metadata.image_shape)
    scaled = graph.add("Mul", levels, graph.number(scaling.scale))
    return graph.add("Add", scaled, graph.number(scaling.offset))


def _upright(graph: _Graph, levels: str, height: int, width: int) -> str:
    """Add what `normalize_moments` does, with coordinates from the middle of the image."""
    rows, columns = np.indices((height, width), np.float32).reshape(2, -1)
    x_of, y_of = columns - (width - 1) / 2, rows - (height - 1) / 2
    powers = np.stack([np.ones_like(x_of), x_of, y_of, x_of**2, x_of * y_of, y_of**2], axis=1)
    add, number = graph.add, graph.number

    def clip(value: str, low: float, high: float) -> str:
        return add("Min", add("Max", value, number(low)), number(high))

    is_ink = add("Greater", levels, number(MIN_LEVEL))
    sums = add("MatMul", add("Where", is_ink, levels, number(0)), graph.constant(powers))
    mass, *means = (add("Gather", sums, graph.integers(k), axis=1) for k in range(6))
    mass = add("Max", mass, number(1))
    x, y, xx, xy, yy = (add("Div", mean, mass) for mean in means)
    least = number(MIN_VARIANCE)
    yy = add("Max", add("Sub", yy, add("Mul", y, y)), least)
    xy = add("Sub", xy, add("Mul", x, y))
    slant = clip(add("Div", xy, yy), -MAX_SLANT, MAX_SLANT)
    # xx - x² + slant · (slant · yy - 2 · xy)
    turned = add("Sub", add("Mul", slant, yy), add("Mul", xy, number(2)))
    xx = add("Add", add("Sub", xx, add("Mul", x, x)), add("Mul", slant, turned))
    xx = add("Max", xx, least)

    extents = [add("Mul", add("Sqrt", variance), number(4)) for variance in (xx, yy)]
    longer = add("Max", *extents)
    ratio = add("Div", add("Min", *extents), longer)
    share = add("Sqrt", add("Sin", add("Mul", ratio, number(np.pi / 2))))
    side = number(EXTENT * max(height, width))

    def step(extent: str) -> str:
        wanted = add("Mul", side, add("Where", add("Less", extent, longer), share, number(1)))
        return add("Reciprocal", clip(add("Div", wanted, extent), MIN_FACTOR, MAX_FACTOR))

    x_step, y_step = map(step, extents)
    down = add("Mul", graph.constant(y_of[np.newaxis]), y_step)
    along = add("Mul", graph.constant(x_of[np.newaxis]), x_step)
    from_y = add("Add", down, y)
    from_x = add("Add", add("Add", along, add("Mul", slant, down)), x)
    places = [  # GridSample takes distances from the middle, in halves of the side
        add("Reshape", add("Mul", place, number(2 / length)), graph.integers(-1, height, width, 1))
        for place, length in ((from_x, width), (from_y, height))
    ]
    images = add("Reshape", levels, graph.integers(-1, 1, height, width))
    grid = add("Concat", *places, axis=-1)
    return add("Flatten", add("GridSample", images, grid, padding_mode="zeros"), axis=1)


#: Adds a layer to a graph after a value, by the layer's type. Dropout acts in training alone. ONNX
#: has the channels before rows and columns, this package after them.
_LAYERS: dict[str, Callable[[_Graph, str, Any], str]] = {
    "Dense": lambda graph, value, layer: graph.add(
        "Gemm", value, *(graph.constant(layer.parameters[name]) for name in ("weights", "biases"))
    ),
    "ReLU": lambda graph, value, _: graph.add("Relu", value),
    "Tanh": lambda graph, value, _: graph.add("Tanh", value),
    "Dropout": lambda _graph, value, _layer: value,
    "Image": lambda graph, value, layer: graph.add(
        "Reshape", value, graph.integers(-1, 1, layer.height, layer.width)
    ),
    "Conv2D": lambda graph, value, layer: graph.add(
        "Conv",
        value,
        # (outputs, inputs, rows, columns)
        graph.constant(layer.parameters["weights"].transpose(3, 2, 0, 1)),
        graph.constant(layer.parameters["biases"]),
        kernel_shape=[layer.kernel_size] * 2,
        pads=[layer.kernel_size // 2] * 4,
    ),
    # ceil_mode: with an odd side, the last windows are cut off at the border
    "MaxPool2D": lambda graph, value, _: graph.add(
        "MaxPool", value, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1
    ),
    "Flatten": lambda graph, value, _: graph.add(
        "Flatten", graph.add("Transpose", value, perm=[0, 2, 3, 1]), axis=1
    ),
}
