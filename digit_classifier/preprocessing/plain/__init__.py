"""Frame many small pictures at once where their background is plain: scans, as MNIST's own.

A call of NumPy's takes a microsecond, however small the array, and a picture of 28×28 pixels is
framed by hundreds of calls. Here each call works on many pictures of one size. The rules are those
of the steps of :mod:`digit_classifier.preprocessing.framing`, and so is each result, to the last
level. A picture for which one of the rarer rules may hold is left to those steps.
"""

from digit_classifier.preprocessing.plain.framing import SIDES, frame_plain

__all__ = ["SIDES", "frame_plain"]
