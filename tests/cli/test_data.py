from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import Run


def test_fetch_copies_from_a_folder_and_verifies(
    run: Run, place: Path, trusted_drawn_mnist: Path
) -> None:
    first, second = (run("data", "fetch", "--from", trusted_drawn_mnist) for _ in range(2))

    assert first.exit_code == second.exit_code == 0
    assert first.output.count("copied from") == 4
    assert second.output.count("already there, verified") == 4
    assert len(list((place / "data").iterdir())) == 4


def test_fetch_refuses_another_data_set(run: Run, place: Path, drawn_mnist_dir: Path) -> None:
    result = run("data", "fetch", "--from", drawn_mnist_dir)

    assert result.exit_code == 1
    assert "is not MNIST's train-images-idx3-ubyte: it is truncated or altered" in result.output
    assert list((place / "data").iterdir()) == []


def test_show_writes_a_picture(run: Run, place: Path, trusted_drawn_mnist: Path) -> None:
    run("data", "fetch", "--from", trusted_drawn_mnist)

    for options in ((), ("--augmented",)):
        result = run("data", "show", *options, "-o", place / "sheet.png")
        assert result.exit_code == 0
        assert np.asarray(Image.open(place / "sheet.png")).std() > 10


def test_show_without_data_says_how_to_fetch_it(run: Run) -> None:
    result = run("data", "show", "-o", "sheet.png")

    assert result.exit_code == 1
    assert "'digit-classifier data fetch'" in result.output
