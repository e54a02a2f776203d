import numpy as np

from digit_classifier.evaluation.corruptions import CORRUPTIONS


def corrupt(name, images, seed=0):
    return CORRUPTIONS[name](images, np.random.default_rng(seed))


def canvas(n, gray=0):
    return np.full((n, 28, 28), gray, np.uint8)
