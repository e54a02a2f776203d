"""LitServe with ONNX Runtime: two processes take the requests, and two run the network."""

import sys
from typing import Annotated

import litserve
import numpy as np
from fastapi import Depends
from numpy.typing import NDArray

from benchmarks.peers.onnx_network import OnnxNetwork
from benchmarks.peers.preprocess import answer_of, vector_of
from benchmarks.peers.upload import sent_image


class DigitAPI(litserve.LitAPI):
    """LitServe's four verbs."""

    def setup(self, device: str) -> None:  # noqa: ARG002, LitServe tells it
        """Load the network, in each process that runs it."""
        self.network = OnnxNetwork()

    def decode_request(self, request: Annotated[bytes, Depends(sent_image)]) -> NDArray[np.float32]:
        """Make the network's input."""
        return vector_of(request)

    def predict(self, vector: NDArray[np.float32]) -> list[float]:
        """Run the network."""
        return self.network.probabilities(vector)

    def encode_response(self, output: list[float]) -> dict[str, object]:
        """Make the answer."""
        return answer_of(output)


if __name__ == "__main__":
    server = litserve.LitServer(
        DigitAPI(api_path="/classify"), accelerator="cpu", workers_per_device=2, fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=2,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
