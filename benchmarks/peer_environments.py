"""The peers that benchmarks.serving compares the service with: how each is installed and started.

Environments and networks are made once, in ``instance/serving``.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digit_classifier.models.store import find_model, load_model
from tests.deployment.clone import PROJECT

PEERS = PROJECT / "benchmarks" / "peers"
CACHE = PROJECT / "instance" / "serving"
NO_MODELS = CACHE / "no-models"
#: Whose packages can write a model of ours as ONNX.
_EXPORTER = "fastapi_onnx"


@dataclass(frozen=True)
class Peer:
    """How another server is started.

    Attributes
    ----------
    name : str
    requirements : str
        Of its environment, by the name of the file.
    network : str
        File in the cache.
    command : str
        The arguments of its Python, with ``{port}``.
    frames : bool
        It looks for the digit in the picture, so that its network sees other pixels than ours.
    """

    name: str
    requirements: str
    network: str
    command: str
    frames: bool = False


_UVICORN = "-m uvicorn benchmarks.peers.fastapi_onnx:app --port {port} --workers 2"
_UVICORN += " --loop uvloop --http httptools --no-access-log"
_OPENCV = _UVICORN.replace("fastapi_onnx", "fastapi_opencv")
_GUNICORN = "-m gunicorn benchmarks.peers.flask_torch:app --bind 127.0.0.1:{port} --workers 2"
_GUNICORN += " --worker-class gthread --threads 2"
_LITSERVE = "-m benchmarks.peers.litserve_onnx {port}"
ALL_PEERS = (
    Peer("FastAPI, uvicorn, ONNX Runtime", "fastapi_onnx", "mlp.onnx", _UVICORN),
    Peer("FastAPI, framed by OpenCV", "fastapi_opencv", "mlp.onnx", _OPENCV, frames=True),
    Peer("Flask, gunicorn, PyTorch", "flask_torch", "mlp.safetensors", _GUNICORN),
    Peer("LitServe, ONNX Runtime", "litserve_onnx", "mlp.onnx", _LITSERVE),
)


def python_of(requirements: str) -> Path:
    """Return the interpreter of an environment."""
    return CACHE / requirements / "bin" / "python"


def prepare(digits: NDArray[np.uint8]) -> None:
    """Make the environments, and the networks as the peers take them.

    Parameters
    ----------
    digits : ndarray of shape (n_samples, 28, 28)
        Of which the exported networks must give our probabilities.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    for requirements in dict.fromkeys(peer.requirements for peer in ALL_PEERS):
        _install(requirements)
    _export("mlp", digits)


def _install(requirements: str) -> None:
    wanted, folder = PEERS / f"{requirements}.txt", CACHE / requirements
    stamp = folder / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == wanted.read_bytes():
        return
    shutil.rmtree(folder, ignore_errors=True)
    _run(Path(sys.executable), "-m", "venv", folder)
    _run(python_of(requirements), "-m", "pip", "install", "--quiet", "--requirement", wanted)
    shutil.copyfile(wanted, stamp)


def _export(name: str, digits: NDArray[np.uint8]) -> None:
    source, check = CACHE / f"{name}.safetensors", CACHE / f"{name}.npz"
    shutil.copyfile(find_model(name, NO_MODELS), source)
    probabilities = load_model(name, NO_MODELS).predict_proba_alone(digits)
    images = digits.reshape(len(digits), -1).astype(np.float32) / 255
    np.savez(check, images=images, probabilities=probabilities)
    exporter = (python_of(_EXPORTER), "-m", "benchmarks.peers.export_onnx")
    _run(*exporter, source, check, CACHE / f"{name}.onnx")


def _run(*command: str | Path) -> None:
    subprocess.run(command, cwd=PROJECT, check=True)  # noqa: S603, our own command
