"""The test suite; it mirrors the package."""

from digit_classifier.environment import use_one_thread

# Many small matrix products: on a busy machine, threads would mostly wait for one another.
use_one_thread()
