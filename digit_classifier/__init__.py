"""Read a handwritten digit from any image: a NumPy perceptron behind a web service."""

__version__ = "0.1.0"
