"""MNIST in every form that it is kept in, made of the drawn digits."""

import gzip
import shutil

import numpy as np
import pytest

from digit_classifier.datasets import load_mnist
from digit_classifier.datasets.fetch import fetch_mnist
from digit_classifier.datasets.mnist import CHECKSUMS
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError


def dotted(source, target):
    for name in CHECKSUMS:
        content = gzip.decompress((source / f"{name}.gz").read_bytes())
        (target / name.replace("-idx", ".idx")).write_bytes(content)
    return target


def dotted_and_gzipped(source, target):
    for name in CHECKSUMS:
        shutil.copy(source / f"{name}.gz", target / f"{name.replace('-idx', '.idx')}.gz")
    return target


def torchvision(source, target):
    shutil.copytree(source, target / "MNIST" / "raw")
    return target


def keras(source, target):
    data = load_mnist(source)
    np.savez(
        target / "mnist.npz",
        x_train=data.X_train, y_train=data.y_train, x_test=data.X_test, y_test=data.y_test,
    )  # fmt: skip
    return target


def tables(source, target, heads=True):
    data = load_mnist(source)
    parts = {"train": (data.X_train, data.y_train), "test": (data.X_test, data.y_test)}
    for part, (X, y) in parts.items():
        rows = np.column_stack([y, X.reshape(len(X), -1)])
        head = ",".join(["label", *(f"{n // 28 + 1}x{n % 28 + 1}" for n in range(784))])
        np.savetxt(
            target / f"mnist_{part}.csv", rows, "%d", ",", header=head if heads else "", comments=""
        )
    return target


def tables_without_heads(source, target):
    return tables(source, target, heads=False)


FORMS = [dotted, dotted_and_gzipped, torchvision, keras, tables, tables_without_heads]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_four_files(form, trusted_drawn_mnist, tmp_path):
    (tmp_path / "kept").mkdir()
    source = form(trusted_drawn_mnist, tmp_path / "kept")
    fetch_mnist(tmp_path / "data", source=source, report=lambda _: None)
    expected, found = load_mnist(trusted_drawn_mnist), load_mnist(tmp_path / "data")
    np.testing.assert_array_equal(found.X_train, expected.X_train)
    np.testing.assert_array_equal(found.y_test, expected.y_test)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(CHECKSUMS)


def test_archive_itself_is_taken(trusted_drawn_mnist, tmp_path):
    (tmp_path / "kept").mkdir()
    archive = keras(trusted_drawn_mnist, tmp_path / "kept") / "mnist.npz"
    fetch_mnist(tmp_path / "data", source=archive, report=lambda _: None)
    assert len(load_mnist(tmp_path / "data").y_train) == 400


@pytest.mark.parametrize("form", [keras, tables])
def test_other_content_in_a_form_is_refused(form, trusted_drawn_mnist, tmp_path):
    (tmp_path / "kept").mkdir()
    form(trusted_drawn_mnist, tmp_path / "kept")
    if form is keras:
        arrays = dict(np.load(tmp_path / "kept" / "mnist.npz"))
        arrays["x_train"][0, 0, 0] ^= 1
        np.savez(tmp_path / "kept" / "mnist.npz", **arrays)
    else:
        file = tmp_path / "kept" / "mnist_train.csv"
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DatasetCorruptError, match="is not MNIST's train-images"):
        fetch_mnist(tmp_path / "data", source=tmp_path / "kept", report=lambda _: None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mnist.npz", b""),
        ("mnist.npz", b"PK\x03\x04 broken"),
        ("mnist.npz", b"no archive"),
        ("mnist_train.csv", b""),
        ("mnist_train.csv", b"label,pixel0\n1,2\n"),
        ("mnist_train.csv", b"label\n" + b"1" + b",x" * 784),
        ("mnist_train.csv", b"label\n" + b"1" + b",256" * 784),
        ("mnist_train.csv", b"\xff\xfe"),
    ],
)
def test_damaged_form_is_a_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetCorruptError, match=name):
        fetch_mnist(tmp_path / "data", source=tmp_path, report=lambda _: None)


def test_place_without_any_form_says_which_there_are(tmp_path):
    (tmp_path / "train.csv").touch()
    for source in (tmp_path, tmp_path / "train.csv"):
        with pytest.raises(DatasetMissingError, match=r"Keras's mnist\.npz"):
            fetch_mnist(tmp_path / "data", source=source, report=lambda _: None)
