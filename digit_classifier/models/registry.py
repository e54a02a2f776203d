"""The kinds of classifiers, by the name that ``train --classifier`` takes and a model's file has.

Adding one is a class and a line here; docs/extending.md shows how.
"""

from digit_classifier.classifier import Classifier
from digit_classifier.errors import UnknownClassifierError
from digit_classifier.neural_network.network import Network

CLASSIFIERS: dict[str, type[Classifier]] = {
    "softmax": Network,
    "mlp": Network,
    "cnn": Network,
}

#: The networks are told apart by the names of their estimators; any other kind by its class's.
_ESTIMATORS = {"softmax": "SoftmaxClassifier", "mlp": "MLPClassifier", "cnn": "CNNClassifier"}


def classifier_class(name: str) -> type[Classifier]:
    """Return the class of that kind.

    Raises
    ------
    UnknownClassifierError
    """
    if name not in CLASSIFIERS:
        raise UnknownClassifierError(f"{name!r} is none of {', '.join(CLASSIFIERS)}.")
    return CLASSIFIERS[name]


def class_name(name: str) -> str:
    """Return what a kind is called as a class.

    >>> class_name("mlp")
    'MLPClassifier'
    """
    return _ESTIMATORS.get(name) or classifier_class(name).__name__


def kind_of_class(name: str) -> str:
    """Return the kind that is called so as a class, or else the name as it is.

    >>> kind_of_class("CNNClassifier"), kind_of_class("mlp")
    ('cnn', 'mlp')
    """
    return next((kind for kind in CLASSIFIERS if class_name(kind) == name), name)
