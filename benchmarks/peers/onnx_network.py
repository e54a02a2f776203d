"""The network by ONNX Runtime: one thread a process, since there is a process a core."""

import os

import numpy as np
import onnxruntime
from numpy.typing import NDArray

#: Names the network's file.
VARIABLE = "NETWORK"


class OnnxNetwork:
    """A loaded network."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            os.environ[VARIABLE], options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, vector: NDArray[np.float32]) -> list[float]:
        """Return those of the one image of a batch."""
        (batch,) = self._session.run(None, {"images": vector})
        return batch[0].tolist()
