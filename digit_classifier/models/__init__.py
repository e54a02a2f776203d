"""Models, and the classifiers by name, as in ``train --classifier`` and in model files.

To add one, write a class and add a line here; docs/extending.md shows how.
"""

from digit_classifier.classifier import Classifier
from digit_classifier.errors import UnknownClassifierError
from digit_classifier.neural_network.network import Network

CLASSIFIERS: dict[str, type[Classifier]] = {
    "softmax": Network,
    "mlp": Network,
    "cnn": Network,
}

#: Class names of the networks: those of their estimators. Any other classifier has its own.
_ESTIMATORS = {"softmax": "SoftmaxClassifier", "mlp": "MLPClassifier", "cnn": "CNNClassifier"}


def classifier_class(name: str) -> type[Classifier]:
    """Return the class of a classifier.

    Raises
    ------
    UnknownClassifierError
    """
    if name not in CLASSIFIERS:
        raise UnknownClassifierError(f"{name!r} is not one of {', '.join(CLASSIFIERS)}.")
    return CLASSIFIERS[name]


def class_name(name: str) -> str:
    """Return the class name that answers show: the estimator's, or the classifier's own.

    >>> class_name("mlp")
    'MLPClassifier'
    """
    return _ESTIMATORS.get(name) or classifier_class(name).__name__


def kind_of_class(name: str) -> str:
    """Return the classifier with that class name; any other name is returned unchanged.

    >>> kind_of_class("CNNClassifier"), kind_of_class("mlp")
    ('cnn', 'mlp')
    """
    return next((kind for kind in CLASSIFIERS if class_name(kind) == name), name)
