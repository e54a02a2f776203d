import numpy as np
from PIL import Image


def test_fetch_copies_from_a_folder_and_verifies(run, place, trusted_drawn_mnist):
    first, second = (run("data", "fetch", "--from", trusted_drawn_mnist) for _ in range(2))

    assert first.exit_code == second.exit_code == 0
    assert first.output.count("copied from") == 4
    assert second.output.count("already there, verified") == 4
    assert len(list((place / "data").iterdir())) == 4


def test_fetch_refuses_another_data_set(run, place, drawn_mnist_dir):
    result = run("data", "fetch", "--from", drawn_mnist_dir)

    assert result.exit_code == 1
    assert "is not MNIST's train-images-idx3-ubyte: it is truncated or altered" in result.output
    assert list((place / "data").iterdir()) == []


def test_show_writes_a_picture(run, place, trusted_drawn_mnist):
    run("data", "fetch", "--from", trusted_drawn_mnist)

    for options in ((), ("--augmented",)):
        result = run("data", "show", *options, "-o", place / "sheet.png")
        assert result.exit_code == 0
        assert np.asarray(Image.open(place / "sheet.png")).std() > 10


def test_show_without_data_says_how_to_fetch_it(run):
    result = run("data", "show", "-o", "sheet.png")

    assert result.exit_code == 1
    assert "'digit-classifier data fetch'" in result.output
