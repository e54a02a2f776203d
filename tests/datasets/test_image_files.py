import pytest

from digit_classifier.datasets.image_files import list_images, list_labelled_images
from digit_classifier.errors import DatasetMissingError


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_images_are_found_by_suffix_in_order(tmp_path):
    second, first = touch(tmp_path / "b" / "x.PNG"), touch(tmp_path / "a.jpeg")
    touch(tmp_path / "README.md")

    assert list_images(tmp_path) == [first, second]


def test_labels_come_from_names_or_subfolders(tmp_path):
    named, sorted_in = touch(tmp_path / "7_0001.png"), touch(tmp_path / "3" / "scan.gif")
    touch(tmp_path / "unlabelled.png")

    assert list_labelled_images(tmp_path) == [(sorted_in, 3), (named, 7)]


def test_the_name_goes_before_the_subfolder(tmp_path):
    path = touch(tmp_path / "3" / "7_0001.png")

    assert list_labelled_images(tmp_path) == [(path, 7)]


def test_a_folder_without_labels_is_refused(tmp_path):
    touch(tmp_path / "scan.png")

    with pytest.raises(DatasetMissingError, match="no labelled picture"):
        list_labelled_images(tmp_path)
