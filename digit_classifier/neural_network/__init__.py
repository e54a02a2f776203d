"""A neural network from scratch in NumPy: layers, losses, optimizers, network, estimators.

Read it in that order. ``layers`` has single steps and their derivatives, on vectors and on images.
``network`` chains layers over one flat parameter vector. ``losses`` has softmax and cross-entropy,
``optimizers`` update the parameters, epoch by epoch, and ``estimators`` wraps everything in
scikit-learn's API. ``inspection`` explains a prediction, and plots the filters.
"""
