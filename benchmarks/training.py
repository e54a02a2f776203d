"""Time one epoch of training: ours, scikit-learn's, PyTorch's, and the matrix products alone.

All train the same perceptron, 784-1024-512-256-10 with rectifiers, by Adam on batches of 256 of the
60,000 training digits in float32, without augmentation and on the same number of threads. They take
turns, epoch by epoch, so that a drift of the machine's speed affects all of them. The matrix
products, those of forward and backward passes called directly in NumPy, are the lower bound. The
last two rows are our training as it is: an epoch on augmented digits, and augmentation alone.

``python -m benchmarks.training`` prints medians and ratios. It needs PyTorch: ``pip install -r
benchmarks/requirements.txt``.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import click
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from tqdm import trange

from digit_classifier.datasets import load_mnist
from digit_classifier.neural_network.losses import one_hot
from digit_classifier.neural_network.network import mlp
from digit_classifier.neural_network.optimizers import Adam, batch_indices, run_epoch
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize
from digit_classifier.settings import load_settings
from digit_classifier.training.epoch_training_run import Batch, augmented_batches
from digit_classifier.training.recipes import RECIPES

SIZES = (784, 1024, 512, 256, 10)
BATCH_SIZE = 256
LEARNING_RATE = 1e-3
Epoch = Callable[[], None]


def our_network(X: np.ndarray, y: np.ndarray) -> Epoch:
    """Train our network by our epoch loop."""
    targets, rng = one_hot(y, SIZES[-1]), np.random.default_rng(0)

    def batches() -> Iterator[Batch]:
        order = batch_indices(len(X), BATCH_SIZE, rng)
        return ((X[chosen], targets[chosen]) for chosen in order)

    return _train_on(batches)


def our_network_augmented(X: np.ndarray, y: np.ndarray) -> Epoch:
    """Train on augmented digits, made by one thread while another trains."""
    return _train_on(_augment(X, y))


def augmentation_alone(X: np.ndarray, y: np.ndarray) -> Epoch:
    """Make an epoch of augmented batches, and do nothing with them."""
    batches = _augment(X, y)

    def epoch() -> None:
        for _ in batches():
            pass

    return epoch


def _train_on(batches: Callable[[], Iterable[Batch]]) -> Epoch:
    network, optimizer, rng = mlp(SIZES), Adam(), np.random.default_rng(0)
    network.initialize(rng)

    def epoch() -> None:
        run_epoch(network, optimizer, batches(), lambda _step: LEARNING_RATE, rng=rng)

    return epoch


def _augment(X: np.ndarray, y: np.ndarray) -> Callable[[], Iterator[Batch]]:
    images = ((X + 1) * 127.5).round().astype(np.uint8).reshape(-1, 28, 28)
    return lambda: augmented_batches(images, y, RECIPES["mlp"], seed=0, epoch=0)


def scikit_learn(X: np.ndarray, y: np.ndarray) -> Epoch:
    """Train scikit-learn's MLPClassifier, one iteration at a time."""
    model = MLPClassifier(
        SIZES[1:-1],
        batch_size=BATCH_SIZE,
        learning_rate_init=LEARNING_RATE,
        alpha=0,
        max_iter=1,
        warm_start=True,
        random_state=0,
    )

    def epoch() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)

    return epoch


def pytorch(X: np.ndarray, y: np.ndarray) -> Epoch:
    """Train PyTorch's modules by its fastest Adam (``fused``), without a data loader."""
    layers: list[torch.nn.Module] = []
    for n_inputs, n_outputs in pairwise(SIZES):
        layers += [torch.nn.Linear(n_inputs, n_outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE, fused=True)
    loss_of = torch.nn.CrossEntropyLoss()
    inputs, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))

    def epoch() -> None:
        for chosen in torch.randperm(len(inputs)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss_of(model(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()

    return epoch


def matrix_products(X: np.ndarray, _y: np.ndarray) -> Epoch:
    """Multiply as forward and backward passes do, and do nothing else."""
    rng = np.random.default_rng(0)
    batch = X[:BATCH_SIZE]
    weights = [rng.standard_normal(shape, np.float32) for shape in pairwise(SIZES)]
    activations = [batch, *(rng.standard_normal((BATCH_SIZE, n), np.float32) for n in SIZES[1:])]
    gradients = [np.empty_like(w) for w in weights]

    def step() -> None:
        for before, w, after in zip(activations, weights, activations[1:], strict=False):
            np.matmul(before, w, out=after)
        for index in reversed(range(len(weights))):
            np.matmul(activations[index].T, activations[index + 1], out=gradients[index])
            if index:
                np.matmul(activations[index + 1], weights[index].T, out=activations[index])

    def epoch() -> None:
        # reset for each step: without activations between them, the products grow
        for _ in range(-(-len(X) // BATCH_SIZE)):
            for activation in activations[1:]:
                activation.fill(1)
            step()

    return epoch


CONTENDERS = {
    "ours": our_network,
    "scikit-learn": scikit_learn,
    "PyTorch": pytorch,
    "matrix products alone": matrix_products,
    "ours, augmented digits": our_network_augmented,
    "augmentation alone": augmentation_alone,
}


@click.command()
@click.option(
    "--rounds", default=5, show_default=True, help="Epochs of each, after one unmeasured."
)
@click.option("--threads", default=2, show_default=True)
def main(rounds: int, threads: int) -> None:
    """Print the median time of an epoch and its ratio to ours."""
    data = load_mnist(load_settings().data_dir)
    X, y = vectorize(data.X_train, InputScaling()), data.y_train
    torch.set_num_threads(threads)
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with threadpool_limits(threads):
        epochs = {name: prepare(X, y) for name, prepare in CONTENDERS.items()}
        for number in trange(rounds + 1, desc="Rounds", leave=False, disable=None):
            for name, epoch in epochs.items():
                started = time.perf_counter()
                epoch()
                if number:  # the first round warms up
                    seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        ratio = median / medians["ours"]
        click.echo(f"{name:<23} {median:6.2f} s an epoch  {ratio:5.2f} of ours")


if __name__ == "__main__":
    main()
