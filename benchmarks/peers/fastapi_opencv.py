"""FastAPI with ONNX Runtime, behind the usual framing by OpenCV."""

from typing import Annotated

import cv2
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from benchmarks.peers.onnx_network import OnnxNetwork
from benchmarks.peers.opencv_framing import framed
from benchmarks.peers.preprocess import answer_of
from benchmarks.peers.upload import sent_image

cv2.setNumThreads(1)  # there is a process a core
app = FastAPI()
network = OnnxNetwork()


@app.post("/classify")
async def classify(content: Annotated[bytes, Depends(sent_image)]) -> JSONResponse:
    """Read the digit of one image."""
    return JSONResponse(answer_of(network.probabilities(framed(content))))
