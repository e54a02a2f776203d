"""FastAPI with ONNX Runtime.

The network runs in the event loop: handing it to a thread would take longer. The response has no
Pydantic model, which FastAPI would validate: this is the peer at its fastest.
"""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from benchmarks.peers.onnx_network import OnnxNetwork
from benchmarks.peers.preprocess import answer_of, vector_of
from benchmarks.peers.upload import sent_image

app = FastAPI()
network = OnnxNetwork()


@app.post("/classify")
async def classify(content: Annotated[bytes, Depends(sent_image)]) -> JSONResponse:
    """Read the digit of one image."""
    return JSONResponse(answer_of(network.probabilities(vector_of(content))))
