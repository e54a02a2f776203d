"""Flask with PyTorch."""

import json
import os

import torch
from flask import Flask, request
from safetensors import safe_open

from benchmarks.peers.preprocess import answer_of, vector_of

torch.set_num_threads(1)
app = Flask(__name__)


def load(path: str) -> torch.nn.Sequential:
    """Make the perceptron of a model's file."""
    with safe_open(path, "pt") as file:
        document = json.loads(file.metadata()["digit_classifier"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    layers: list[torch.nn.Module] = []
    for index, config in enumerate(document["architecture"]):
        if config["type"] == "ReLU":
            layers.append(torch.nn.ReLU())
            continue
        dense = torch.nn.Linear(config["n_inputs"], config["n_outputs"])
        dense.weight.data = tensors[f"{index}.weights"].T.contiguous()
        dense.bias.data = tensors[f"{index}.biases"]
        layers.append(dense)
    layers[-1].weight.data /= document["temperature"]
    layers[-1].bias.data /= document["temperature"]
    return torch.nn.Sequential(*layers, torch.nn.Softmax(dim=1)).eval()


network = load(os.environ["NETWORK"])


@app.post("/classify")
def classify() -> dict[str, object]:
    """Read the digit of one image."""
    content = request.files["image"].read() if request.files else request.get_data()
    with torch.inference_mode():
        vector = torch.from_numpy(vector_of(content)) * 2 - 1
        return answer_of(network(vector)[0].tolist())
