"""Recipes: everything that determines a training run, except the data and the seed."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from digit_classifier.neural_network.network import Network, cnn, mlp
from digit_classifier.preprocessing.vectorize import InputScaling
from digit_classifier.training.augmentation import NO_AUGMENTATION, Augmentation

_IMAGE_SHAPE = (28, 28)
_N_PIXELS = 28 * 28
N_CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train one classifier.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Empty for softmax regression.
    ranks : tuple of int
        Ranks to which the weights of a perceptron's first hidden layers are reduced after the last
        epoch, see :func:`~digit_classifier.training.low_rank.reduce_ranks`.
    channels : tuple of tuple of int
        Output channels of each stage of a convolutional network, see
        :func:`~digit_classifier.neural_network.network.cnn`; empty for a perceptron.
    epochs, batch_size : int
    optimizer : {"adam", "sgd"}
    learning_rate : float
        Peak of the schedule: a linear warm-up over `warmup_epochs`, then half a cosine.
    l2, dropout, label_smoothing : float
    average_decay : float
        Decay of the moving average of the parameters, which is validated and saved.
    patience : int, optional
        Stop after this many epochs without a better validation accuracy, and keep the parameters
        of the best epoch.
    n_validation : int
        Number of training samples held out for validation.
    scaling : InputScaling
    augmentation : Augmentation
    n_negatives : int
        Number of images that are not digits, generated before the first epoch.
    negative_share : float
        Number of these images in a batch, divided by its number of digits.
    second_opinion : str, optional
        Shipped model whose answer is used as well where the trained one is unsure.
    """

    hidden_layer_sizes: tuple[int, ...] = ()
    ranks: tuple[int, ...] = ()
    channels: tuple[tuple[int, ...], ...] = ()
    epochs: int = 30
    batch_size: int = 256
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    warmup_epochs: float = 1.0
    l2: float = 0.0
    dropout: float = 0.0
    label_smoothing: float = 0.0
    average_decay: float = 0.999
    patience: int | None = None
    n_validation: int = 5000
    scaling: InputScaling = field(default_factory=InputScaling)
    augmentation: Augmentation = field(default_factory=Augmentation)
    n_negatives: int = 0
    negative_share: float = 0.0
    second_opinion: str | None = None

    def build_network(self) -> Network:
        """Return the network that is trained, uninitialized."""
        sizes = (*self.hidden_layer_sizes, N_CLASSES)
        if self.channels:
            return cnn(_IMAGE_SHAPE, self.channels, sizes, dropout=self.dropout)
        return mlp((_N_PIXELS, *sizes), dropout=self.dropout)

    def as_json(self) -> dict[str, Any]:
        """Return the recipe in JSON's types, for metadata and checkpoints."""
        fields: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # tuples become lists
        # absent, as in the metadata of models trained before there were these fields
        for name in ("ranks", "channels", "second_opinion"):
            if not fields[name]:
                del fields[name]
        return fields


#: One recipe per classifier, by the names of ``--classifier``.
RECIPES = {
    # a linear model is less accurate with distortions: they exceed its capacity
    "softmax": Recipe(
        epochs=15,
        learning_rate=2e-3,
        scaling=InputScaling(on_black=True),
        augmentation=replace(NO_AUGMENTATION, inverted_share=0.5),
    ),
    "mlp": Recipe(
        hidden_layer_sizes=(1024, 512, 256),
        ranks=(136, 224),
        epochs=550,
        learning_rate=1.5e-3,
        label_smoothing=0.05,
        scaling=InputScaling(on_black=True),
        n_negatives=40_000,
        negative_share=0.15,
    ),
    "cnn": Recipe(
        channels=((24,), (48,), (64, 64)),
        hidden_layer_sizes=(128,),
        epochs=45,
        learning_rate=4e-3,
        dropout=0.3,
        label_smoothing=0.05,
        scaling=InputScaling(on_black=True, upright=True),
        augmentation=Augmentation(narrowest=0.35),
        n_negatives=40_000,
        negative_share=0.15,
    ),
}
