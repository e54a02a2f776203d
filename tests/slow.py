"""A machine so slow that every picture takes its time, and no test has to wait for it."""

from types import SimpleNamespace

from digit_classifier import framed_images


def decode_slowly(monkeypatch, seconds):
    """Let each picture take so many seconds by the clock that batches are timed by."""
    clock = SimpleNamespace(now=0.0)
    decode = framed_images.decode_image

    def decode_image(content, limits, *, detailed, budget):
        clock.now += seconds
        return decode(content, limits, detailed=detailed, budget=budget)

    monkeypatch.setattr(framed_images, "decode_image", decode_image)
    monkeypatch.setattr(framed_images, "time", SimpleNamespace(perf_counter=lambda: clock.now))
