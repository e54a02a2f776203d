import re

import pytest

from digit_classifier.web.site import messages


@pytest.mark.parametrize("name", ["mlp", "cnn", "softmax", "of_my_own"])
def test_models_have_a_name_and_a_line(name):
    label, line = messages.name_model(name)
    assert label
    assert re.fullmatch(r"[A-Z].+\.", line)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(1024 * 1024, "1 MiB"), (1536 * 1024, "1536 KiB"), (1_000_000, "1,000,000 bytes")],
)
def test_file_size_is_exact(n_bytes, text):
    assert messages.file_size(n_bytes) == text


def test_words_are_enumerated():
    assert messages.enumerate_words(("a", "b", "c"), "or") == "a, b or c"
