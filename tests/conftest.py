"""Fixtures that several test modules share."""

import gzip
import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from digit_classifier.datasets import load_mnist
from digit_classifier.datasets.mnist import CHECKSUMS
from digit_classifier.errors import DatasetMissingError
from tests.bulk.cluster import Cluster
from tests.datasets.drawn import draw_framed, to_idx
from tests.deployment.scheduling import TwoGroups
from tests.strokes import draw_digit, encode

N_DRAWN, N_DRAWN_TRAIN = 500, 400

#: The modules whose tests use the fixture ``build``.
OF_THE_BUILD = ("test_train.py", "test_build.py", "test_cleanup.py")


def pytest_collection_modifyitems(items):
    """Begin with the tests that share a build, so that one worker runs them all and builds once.

    Each worker begins with a part of the tests, and one that has finished takes some from the end
    of another's part: what comes first stays where it is.
    """
    of_the_build = {Path(__file__).parent / "deployment" / name for name in OF_THE_BUILD}
    items.sort(key=lambda item: item.path not in of_the_build)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Of the tests of Apache, let those that change this machine be one worker's."""
    return TwoGroups(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture(scope="session", autouse=True)
def default_signals_of_children():
    """Let what the tests start end on signals, however the tests themselves were started.

    What a shell runs in the background ignores SIGINT and SIGQUIT, under nohup SIGHUP, and all that
    it starts does, too. A handler is not inherited: this process goes on ignoring the signal.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session")
def mnist():
    """MNIST itself, where it is; a skip with the reason elsewhere, or a failure if required."""
    try:
        return load_mnist(Path(os.environ.get("DIGIT_CLASSIFIER_DATA_DIR", "data")))
    except DatasetMissingError as exc:
        if os.environ.get("REQUIRE_MNIST") == "1":
            pytest.fail(f"REQUIRE_MNIST=1, but: {exc}")
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def drawn_digits():
    """Drawn digits (500, 28, 28), light on black and framed as MNIST is, and labels (500,)."""
    rng = np.random.default_rng(28)
    labels = rng.permutation(np.arange(N_DRAWN) % 10).astype(np.uint8)
    return np.stack([draw_framed(int(label), rng) for label in labels]), labels


@pytest.fixture(scope="session")
def drawn_mnist_dir(drawn_digits, tmp_path_factory):
    """Folder of the drawn digits in the four files of MNIST, gzipped; not to be written to."""
    folder = tmp_path_factory.mktemp("drawn_mnist")
    images, labels = drawn_digits
    for part, chosen in (("train", slice(N_DRAWN_TRAIN)), ("t10k", slice(N_DRAWN_TRAIN, None))):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = gzip.compress(to_idx(array[chosen]), mtime=0)
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(content)
    return folder


@pytest.fixture
def trusted_drawn_mnist(drawn_mnist_dir, monkeypatch):
    """``drawn_mnist_dir``, its checksums taken for MNIST's own during the test."""
    for name in CHECKSUMS:
        content = gzip.decompress((drawn_mnist_dir / f"{name}.gz").read_bytes())
        monkeypatch.setitem(CHECKSUMS, name, hashlib.sha256(content).hexdigest())
    return drawn_mnist_dir


@pytest.fixture(scope="session")
def digit_files():
    """Ten drawn digits, by names in the order of the digits, in two folders."""
    return {
        f"{'first' if digit < 5 else 'second'}/{digit}.png": encode(
            draw_digit(digit, size=(48, 48)), "PNG"
        )
        for digit in range(10)
    }


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A scheduler and two workers that nobody harms."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster
