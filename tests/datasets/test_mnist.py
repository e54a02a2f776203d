import gzip
import hashlib
import shutil

import numpy as np
import pytest

from digit_classifier.datasets import load_mnist
from digit_classifier.datasets.mnist import CHECKSUMS, parse_idx, read_content
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError
from tests.datasets.drawn import to_idx

# published on MNIST's own page and counted in the papers that use it
TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture
def folder(trusted_drawn_mnist, tmp_path):
    """A copy of the drawn files that a test may damage."""
    return shutil.copytree(trusted_drawn_mnist, tmp_path / "mnist")


def test_load_mnist_returns_the_arrays_of_the_four_files(folder, drawn_digits):
    images, labels = drawn_digits
    loaded = load_mnist(folder)
    np.testing.assert_array_equal(loaded.X_train, images[:400], strict=True)
    np.testing.assert_array_equal(loaded.y_train, labels[:400], strict=True)
    np.testing.assert_array_equal(loaded.X_test, images[400:], strict=True)
    np.testing.assert_array_equal(loaded.y_test, labels[400:], strict=True)


def test_load_mnist_takes_plain_and_recompressed_files(folder, drawn_digits):
    plain = folder / "train-images-idx3-ubyte"
    plain.write_bytes(gzip.decompress(plain.with_suffix(".gz").read_bytes()))
    plain.with_suffix(".gz").unlink()
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(gzip.decompress(labels.read_bytes()), compresslevel=1))
    np.testing.assert_array_equal(load_mnist(folder).X_train, drawn_digits[0][:400])


@pytest.mark.parametrize("name", CHECKSUMS)
def test_load_mnist_names_the_missing_file_and_the_remedy(folder, name):
    (folder / f"{name}.gz").unlink()
    with pytest.raises(DatasetMissingError, match=f"{name}.*digit-classifier data fetch"):
        load_mnist(folder)


def test_load_mnist_of_a_folder_that_does_not_exist_says_it_is_missing(tmp_path):
    with pytest.raises(DatasetMissingError, match="nowhere"):
        load_mnist(tmp_path / "nowhere")


@pytest.mark.parametrize("name", CHECKSUMS)
@pytest.mark.parametrize("damage", ["altered", "truncated", "extended"])
def test_load_mnist_refuses_a_damaged_file_by_name(folder, name, damage):
    path = folder / f"{name}.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    if damage == "altered":
        content[len(content) // 2] ^= 1
    elif damage == "truncated":
        content.pop()
    else:
        content.append(0)
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DatasetCorruptError, match=f"{name}.gz .*truncated or altered"):
        load_mnist(folder)


@pytest.mark.parametrize("kind", ["images-idx3", "labels-idx1"])
def test_load_mnist_reports_that_train_and_test_files_were_swapped(folder, kind):
    train, test = folder / f"train-{kind}-ubyte.gz", folder / f"t10k-{kind}-ubyte.gz"
    kept = train.read_bytes()
    train.write_bytes(test.read_bytes())
    test.write_bytes(kept)
    with pytest.raises(
        DatasetCorruptError, match=f"not MNIST's train-{kind}-ubyte: it is t10k-{kind}-ubyte"
    ):
        load_mnist(folder)


def test_drawn_files_are_not_mnist(drawn_mnist_dir):
    with pytest.raises(DatasetCorruptError, match="train-images-idx3-ubyte"):
        load_mnist(drawn_mnist_dir)


def test_drawn_digits_are_framed_as_mnist_is(drawn_digits):
    images, labels = drawn_digits
    assert (np.bincount(labels) == 50).all()
    inked = images > 0
    heights = np.ptp([_span(rows) for rows in inked.any(axis=2)], axis=1) + 1
    widths = np.ptp([_span(columns) for columns in inked.any(axis=1)], axis=1) + 1
    assert (np.maximum(heights, widths) == 20).mean() > 0.95
    mass = images / images.sum(axis=(1, 2), keepdims=True)
    for axis in (1, 2):
        centroids = mass.sum(axis=axis) @ np.arange(28)
        assert (abs(centroids - 14) <= 0.5 + 1e-9).all()


def _span(present):
    return np.flatnonzero(present)[[0, -1]]


def test_mnist_has_the_published_shapes_and_class_counts(mnist):
    assert (mnist.X_train.shape, mnist.X_train.dtype) == ((60_000, 28, 28), np.uint8)
    assert (mnist.X_test.shape, mnist.X_test.dtype) == ((10_000, 28, 28), np.uint8)
    assert np.bincount(mnist.y_train).tolist() == TRAIN_COUNTS
    assert np.bincount(mnist.y_test).tolist() == TEST_COUNTS


def test_mnist_pixels_have_the_known_checksum(mnist):
    header = bytes([0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28])
    digest = hashlib.sha256(header + mnist.X_test.tobytes()).hexdigest()
    assert digest == "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"


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
