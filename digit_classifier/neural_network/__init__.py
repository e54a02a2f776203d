"""A neural network from scratch in NumPy: layers, losses, optimizers, network, estimators.

Read it in that order. ``layers`` knows one step and its derivative, ``convolution`` the steps over
images. ``network`` chains steps over one flat parameter vector, ``losses`` measures the answer,
``optimizers`` and ``schedules`` move the parameters, ``fitting`` runs an epoch, and ``estimators``
wraps it all in scikit-learn's API.
"""
