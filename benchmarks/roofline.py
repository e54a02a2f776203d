"""The network beside what a core can do at most; a part of benchmarks.cost.

The roofline model (Williams, Waterman & Patterson 2009, Communications of the ACM 52(4)): a program
that does so many operations a byte is bound by the memory that feeds the core, or by the core.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peer_environments import NO_MODELS
from benchmarks.serving import images_a_second
from digit_classifier.classifier import Classifier
from digit_classifier.datasets import load_mnist
from digit_classifier.evaluation import markdown_table
from digit_classifier.models.store import load_model
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.settings import load_settings

BATCH_SIZES = tuple(2**power for power in range(13))
#: Bytes that are read over and over: what fits in a core's second cache, in the third, in neither.
STREAMS = {"L2": 2**19, "L3": 2**23, "memory": 2**28}
GEMM_SIDE = 1024
SECONDS = 0.1  # of each measurement, at least

Figures = dict[str, Any]


def measure(n_rounds: int) -> Figures:
    """Return the bandwidths in GB/s, the peak in GFLOP/s, and a record a batch size."""
    model = load_model("mlp", NO_MODELS)
    classifier = model.classifier
    digits = load_mnist(load_settings().data_dir).X_test
    rng = np.random.default_rng(0)
    streams = {name: _halves(n_bytes, rng) for name, n_bytes in STREAMS.items()}
    square = rng.random((GEMM_SIDE, GEMM_SIDE), np.float32)
    inputs = {n: vectorize(digits[:n], model.metadata.input_scaling) for n in BATCH_SIZES}
    found: dict[Any, list[float]] = defaultdict(list)
    for _ in range(n_rounds):
        for name, (a, b) in streams.items():
            found[name].append(_calls_a_second(lambda a=a, b=b: a @ b))
        found["peak"].append(_calls_a_second(lambda: square @ square))
        for n, X in inputs.items():
            found[n].append(_calls_a_second(lambda X=X: classifier.predict_logits(X)))
    rates = {what: statistics.median(values) for what, values in found.items()}
    return {
        "bandwidths": {name: size * rates[name] / 1e9 for name, size in STREAMS.items()},
        "peak": 2 * GEMM_SIDE**3 * rates["peak"] / 1e9,
        "points": [_point(classifier, n, rates[n]) for n in BATCH_SIZES],
    }


def _halves(n_bytes: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    """Return two vectors of so many bytes together."""
    n_values = n_bytes // 2 // np.dtype(np.float32).itemsize
    return rng.random(n_values, np.float32), rng.random(n_values, np.float32)


def _calls_a_second(call: Callable[[], object]) -> float:
    call()  # which fills the caches
    return images_a_second(call, SECONDS)


def _point(classifier: Classifier, n: int, calls_a_second: float) -> dict[str, float]:
    """Return a batch's rates, and its operations per byte that has to be read or written.

    The bytes are the weights and the input once, and each layer's output twice: written and read.
    All weights count, though those of units that are 0 are left out for a single digit.
    """
    weights = [values for values in classifier.named_parameters().values() if values.ndim == 2]
    n_weights = sum(matrix.size for matrix in weights)
    n_activations = weights[0].shape[0] + 2 * sum(matrix.shape[1] for matrix in weights)
    operations, n_bytes = 2 * n * n_weights, 4 * (n_weights + n * n_activations)
    return {
        "batch": n,
        "intensity": operations / n_bytes,
        "images": n * calls_a_second,
        "gflops": operations * calls_a_second / 1e9,
    }


def roof(figures: Figures, intensity: float) -> float:
    """Return the GFLOP/s that are possible at most, with the weights in the L3 cache."""
    return min(figures["peak"], intensity * figures["bandwidths"]["L3"])


def tables(figures: Figures) -> str:
    """Return what the core can do, and what the network does of it, as Markdown."""
    limits = [[f"reads from {name}", f"{rate:,.1f} GB/s"]
              for name, rate in figures["bandwidths"].items()]  # fmt: skip
    limits.append([f"{GEMM_SIDE}×{GEMM_SIDE} matrix product", f"{figures['peak']:,.1f} GFLOP/s"])
    rows = [
        [
            f"{point['batch']:,}",
            f"{point['intensity']:,.1f}",
            f"{point['images']:,.0f}",
            f"{point['gflops']:,.1f}",
            f"{point['gflops'] / roof(figures, point['intensity']):.0%}",
        ]
        for point in figures["points"]
    ]
    header = ["batch", "operations a byte", "images a second", "GFLOP/s", "of the roof"]
    return f"{markdown_table(['one thread', ''], limits)}\n\n{markdown_table(header, rows)}"
