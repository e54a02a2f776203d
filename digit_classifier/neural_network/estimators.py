"""The networks with scikit-learn's estimator API.

They follow scikit-learn's rules (``check_estimator`` passes), accept any number of features and any
class labels, and train without augmentation. The shipped models are trained by
``digit_classifier.training``, with the same network, losses, optimizers and epoch loop.
"""

from math import isqrt
from typing import Any

from digit_classifier.neural_network.network import ACTIVATIONS, Network, cnn, mlp
from digit_classifier.neural_network.network_classifier import (
    NetworkClassifier,
    check_choice,
    check_number,
    check_sizes,
    check_stages,
    check_whole,
)


class MLPClassifier(NetworkClassifier):
    """Multilayer perceptron trained by cross-entropy on mini-batches.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(100,)
        Empty for softmax regression.
    activation : {"relu", "tanh"}, default="relu"
    optimizer : {"adam", "sgd"}, default="adam"
        SGD has Nesterov momentum.
    learning_rate : float, default=0.001
    epochs : int, default=100
    batch_size : int, default=32
    l2 : float, default=0
        Weight of the penalty l2 / 2 · ‖weights‖².
    dropout : float, default=0
        Share of each hidden layer's units set to zero in a training step.
    patience : int or None, default=None
        Hold out a tenth of the samples, stop after this many epochs without a better accuracy on
        them, and restore the best parameters. None trains all epochs on all samples.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    n_epochs_ : int
        Number of trained epochs.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    network_ : Network
    """

    def __init__(  # noqa: PLR0913, scikit-learn's hyperparameters are arguments
        self,
        hidden_layer_sizes: tuple[int, ...] = (100,),
        *,
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        epochs: int = 100,
        batch_size: int = 32,
        l2: float = 0.0,
        dropout: float = 0.0,
        patience: int | None = None,
        random_state: Any = None,
    ) -> None:
        # as they are: scikit-learn's `clone` compares them, and fit checks them
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.l2 = l2
        self.dropout = dropout
        self.patience = patience
        self.random_state = random_state

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_number("dropout", self.dropout, below=1)

    def _build_network(self, n_features: int, n_classes: int) -> Network:
        sizes = (n_features, *self.hidden_layer_sizes, n_classes)
        return mlp(sizes, activation=self.activation, dropout=self.dropout)


class SoftmaxClassifier(MLPClassifier):
    """Softmax regression: the perceptron without a hidden layer.

    Parameters
    ----------
    optimizer, learning_rate, epochs, batch_size, l2, patience, random_state
        As in :class:`MLPClassifier`.
    """

    def __init__(  # noqa: PLR0913, as above
        self,
        *,
        optimizer: str = "adam",
        learning_rate: float = 1e-2,
        epochs: int = 100,
        batch_size: int = 32,
        l2: float = 0.0,
        patience: int | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            (),
            optimizer=optimizer,
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            l2=l2,
            patience=patience,
            random_state=random_state,
        )


class CNNClassifier(NetworkClassifier):
    """Convolutional network trained by cross-entropy on mini-batches.

    Parameters
    ----------
    channels : tuple of tuple of int, default=((8,), (16,))
        Output channels of the convolutions of each stage. A stage ends by halving height and
        width, rounded up.
    hidden_layer_sizes : tuple of int, default=(64,)
        Sizes of the dense layers between the stages and the output.
    image_shape : tuple of int or None, default=None
        Height and width of the images; a sample's features are their rows, one after the other.
        None means a square image if the number of features is a square, else a single row.
    kernel_size : int, default=3
        Odd.
    dropout : float, default=0
        Share of each hidden dense layer's units set to zero in a training step.
    optimizer, learning_rate, epochs, batch_size, l2, patience, random_state
        As in :class:`MLPClassifier`.

    Attributes
    ----------
    classes_, n_features_in_, n_epochs_, loss_curve_, network_
        As in :class:`MLPClassifier`.
    """

    def __init__(  # noqa: PLR0913, as above
        self,
        channels: tuple[tuple[int, ...], ...] = ((8,), (16,)),
        hidden_layer_sizes: tuple[int, ...] = (64,),
        *,
        image_shape: tuple[int, int] | None = None,
        kernel_size: int = 3,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        epochs: int = 50,
        batch_size: int = 32,
        l2: float = 0.0,
        dropout: float = 0.0,
        patience: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.channels = channels
        self.hidden_layer_sizes = hidden_layer_sizes
        self.image_shape = image_shape
        self.kernel_size = kernel_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.l2 = l2
        self.dropout = dropout
        self.patience = patience
        self.random_state = random_state

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        check_number("dropout", self.dropout, below=1)
        check_whole("kernel_size", self.kernel_size)
        check_stages("channels", self.channels)
        if self.image_shape is not None:
            check_sizes("image_shape", self.image_shape)
            if len(self.image_shape) != 2:
                raise ValueError(f"image_shape has a height and a width, not {self.image_shape}.")

    def _build_network(self, n_features: int, n_classes: int) -> Network:
        # scikit-learn passes vectors: the shape of the images has to be guessed or given
        side = isqrt(n_features)
        image_shape = self.image_shape
        if image_shape is None:
            image_shape = (side, side) if side * side == n_features else (1, n_features)
        height, width = image_shape
        # now, as the number of features is known with X
        if height * width != n_features:
            raise ValueError(
                f"X has {n_features} features; images of {height} × {width} have {height * width}."
            )
        return cnn(
            image_shape,
            self.channels,
            (*self.hidden_layer_sizes, n_classes),
            kernel_size=self.kernel_size,
            dropout=self.dropout,
        )
