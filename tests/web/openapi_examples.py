"""The examples of the OpenAPI document: requests, and what the service answers to them.

``python -m tests.web.openapi_examples`` writes the answers again; a test compares them.
"""

import json
import tempfile
from pathlib import Path

from digit_classifier.web.api.openapi import EXAMPLES
from tests.web.pictures import as_file, drawn_number
from tests.web.serving import make_app, send

SAMPLES = Path("digit_classifier/samples")
#: Other values at each request, or on each machine.
VOLATILE = ("elapsed_ms", "elapsed_time_ms", "request_id")


def _picture(name):
    return as_file((SAMPLES / name).read_bytes(), name)


#: A stroke that makes a 1, as numbers.
_LEVELS = [
    255 if 4 <= row < 24 and 13 <= column < 16 else 0 for row in range(28) for column in range(28)
]


def _framed(client):
    images = {"name": "images", "datatype": "UINT8", "shape": [1, 784], "data": _LEVELS}
    return client.post("/v2/models/mlp/infer", json={"id": "order-66", "inputs": [images]})


REQUESTS = {
    "api_v1.classify": lambda client: send(client, "/api/v1/classify", image=_picture("4-7.png")),
    "api_v1.classify_batch": lambda client: send(
        client,
        "/api/v1/classify/batch",
        images=[_picture("0-1.png"), as_file(b"no image", "notes.txt")],
    ),
    "api_v1.read": lambda client: send(
        client, "/api/v1/read", image=as_file(drawn_number("47"), "47.png")
    ),
    "api_v1.list_models": lambda client: client.get("/api/v1/models"),
    "curl_api.classify": lambda client: send(client, "/curl-api", myfile=_picture("4-7.png")),
    "linear_softmax.classify": lambda client: client.post(
        "/mnist/classify-vector", data={"img": ",".join(map(str, _LEVELS))}
    ),
    "mnist_classify.classify": lambda client: send(
        client, "/mnist/classify", file=_picture("4-7.png")
    ),
    "softmax_cnn.classify": lambda client: send(client, "/upload", file=_picture("4-7.png")),
    "inference_v2.config": lambda client: client.get("/v2/models/mlp/config"),
    "inference_v2.index": lambda client: client.post("/v2/repository/index"),
    "inference_v2.server": lambda client: client.get("/v2"),
    "inference_v2.live": lambda client: client.get("/v2/health/live"),
    "inference_v2.ready": lambda client: client.get("/v2/health/ready"),
    "inference_v2.model": lambda client: client.get("/v2/models/mlp"),
    "inference_v2.model_ready": lambda client: client.get("/v2/models/mlp/ready"),
    "inference_v2.infer": _framed,
    "health.livez": lambda client: client.get("/livez"),
    "health.readyz": lambda client: client.get("/readyz"),
}


def answers(client):
    """Return what the service answers, by endpoint."""
    return {endpoint: ask(client).get_json() for endpoint, ask in REQUESTS.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = answers(make_app(Path(folder)).test_client())
    EXAMPLES.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
