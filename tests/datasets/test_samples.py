import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from digit_classifier.datasets import samples
from digit_classifier.datasets.samples import DRAWN, MnistTestSet, zip_samples
from digit_classifier.errors import DatasetMissingError, IndexPastEndError
from tests.strokes import draw_samples, encode


@pytest.fixture
def test_set(trusted_drawn_mnist):
    return MnistTestSet(trusted_drawn_mnist)


def unzip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_picture_is_the_digit_to_the_bit(test_set, drawn_digits):
    images, labels = drawn_digits
    for index in (0, 42, 99):
        picture = Image.open(io.BytesIO(test_set.picture(index)))
        np.testing.assert_array_equal(np.asarray(picture), images[400 + index])
        assert test_set.label(index) == labels[400 + index]
        assert test_set.file_name(index) == f"{index}-{labels[400 + index]}.png"
    assert len(test_set) == 100


@pytest.mark.parametrize("index", [-1, 100, 10**18])
def test_an_index_past_the_end_is_refused(test_set, index):
    for ask in (test_set.label, test_set.picture, test_set.file_name):
        with pytest.raises(IndexPastEndError, match=f"no digit {index}.*from 0 to 99"):
            ask(index)


def test_the_files_are_read_once_and_by_one_thread_alone(test_set, monkeypatch):
    reads = []
    load = samples.load_test_set
    monkeypatch.setattr(samples, "load_test_set", lambda d: reads.append(d) or load(d))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(test_set.label, range(100)))
    assert len(reads) == 1


def test_a_test_set_that_comes_later_is_found(tmp_path, trusted_drawn_mnist):
    late = MnistTestSet(tmp_path)
    with pytest.raises(DatasetMissingError):
        late.label(0)
    for file in trusted_drawn_mnist.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert late.label(0) in range(10)


def test_the_archive_holds_a_test_digit_of_each_class(test_set):
    files = unzip(zip_samples(test_set))
    assert sorted(name.split("-")[1] for name in files) == [f"{digit}.png" for digit in range(10)]
    for name, content in files.items():
        assert content == test_set.picture(int(name.split("-")[0]))


def test_the_archive_holds_others_the_next_time(test_set):
    assert len({frozenset(unzip(zip_samples(test_set))) for _ in range(5)}) > 1


def test_without_mnist_the_archive_holds_our_own_drawings(tmp_path):
    files = unzip(zip_samples(MnistTestSet(tmp_path)))
    assert files == {path.name: path.read_bytes() for path in DRAWN.iterdir()}


def test_our_own_drawings_are_those_of_the_renderer():
    drawn = {name: encode(image, "PNG", optimize=True) for name, image in draw_samples().items()}
    assert sorted(drawn) == sorted(path.name for path in DRAWN.iterdir())
    for path in DRAWN.iterdir():
        expected = Image.open(io.BytesIO(drawn[path.name]))
        with Image.open(path) as shipped:
            assert shipped.mode == expected.mode
            difference = np.asarray(shipped).astype(int) - np.asarray(expected)
            assert np.abs(difference).max() <= 1
