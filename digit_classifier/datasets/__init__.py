"""MNIST: fetch it, verify it, read it."""

from digit_classifier.datasets.mnist import Mnist, load_mnist

__all__ = ["Mnist", "load_mnist"]
