import gzip

import numpy as np
import pytest

from digit_classifier.datasets.idx import parse_idx, read_content
from digit_classifier.errors import DatasetCorruptError
from tests.datasets.drawn import to_idx

CONTENT = to_idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (3, 5), (2, 28, 28), (2, 3, 4, 5)])
def test_parse_idx_returns_the_array_that_was_written(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    parsed = parse_idx(to_idx(array), "file")
    assert parsed.dtype == np.uint8
    np.testing.assert_array_equal(parsed, array, strict=True)


def test_parse_idx_reads_dimensions_as_big_endian():
    content = bytes([0, 0, 8, 1, 0, 0, 1, 2]) + bytes(258)
    assert parse_idx(content, "file").shape == (258,)


@pytest.mark.parametrize("length", range(16))
def test_parse_idx_rejects_a_truncated_header(length):
    with pytest.raises(DatasetCorruptError, match=r"^file "):
        parse_idx(CONTENT[:length], "file")


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:16], CONTENT + b"\0"])
def test_parse_idx_rejects_a_body_of_another_length(content):
    with pytest.raises(DatasetCorruptError, match=rf"{len(content)} bytes .* promises 40"):
        parse_idx(content, "file")


def test_parse_idx_rejects_dimensions_whose_product_overflows():
    content = bytes([0, 0, 8, 4]) + b"\0\1\0\0" * 4  # 65536⁴ = 2⁶⁴, which is 0 in 64 bits
    with pytest.raises(DatasetCorruptError, match="18446744073709551636"):
        parse_idx(content, "file")


@pytest.mark.parametrize("type_code", [0, 9, 11, 12, 13, 14])
def test_parse_idx_rejects_other_element_types(type_code):
    with pytest.raises(DatasetCorruptError, match="not an IDX file of unsigned bytes"):
        parse_idx(bytes([0, 0, type_code]) + CONTENT[3:], "file")


def test_read_content_gives_the_same_for_plain_and_gzipped(tmp_path):
    (tmp_path / "plain").write_bytes(CONTENT)
    (tmp_path / "gzipped").write_bytes(gzip.compress(CONTENT))
    assert read_content(tmp_path / "plain") == CONTENT
    assert read_content(tmp_path / "gzipped") == CONTENT


def _flip(content, index):
    damaged = bytearray(content)
    damaged[index] ^= 0xFF
    return bytes(damaged)


GZIPPED = gzip.compress(CONTENT)


@pytest.mark.parametrize(
    "damaged",
    [
        GZIPPED[:5],
        GZIPPED[:20],
        GZIPPED[:-1],
        _flip(GZIPPED, 2),
        _flip(GZIPPED, 12),
        _flip(GZIPPED, -6),
        GZIPPED + b"trailing",
    ],
    ids=["in header", "in body", "in trailer", "method", "deflate", "checksum", "trailing"],
)
def test_read_content_rejects_damaged_gzip_and_names_the_file(tmp_path, damaged):
    path = tmp_path / "images.gz"
    path.write_bytes(damaged)
    with pytest.raises(DatasetCorruptError, match=r"images\.gz is a damaged gzip file"):
        read_content(path)
