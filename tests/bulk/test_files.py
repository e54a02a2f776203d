from pathlib import Path

import fsspec
import pytest

from digit_classifier.bulk import files
from digit_classifier.errors import NoFileError


@pytest.mark.parametrize("store", ["", "file://", "memory://"])
def test_a_file_is_written_and_listed_wherever_it_is(store: str, tmp_path: Path) -> None:
    folder = f"{store}{tmp_path}/out"

    assert files.names_in(folder) == []
    files.make_folder(f"{folder}/below")
    files.write_whole(f"{folder}/b", b"first")
    files.write_whole(f"{folder}/b", b"second")
    files.write_whole(f"{folder}/a", b"")

    assert files.names_in(folder) == ["a", "b", "below"]
    assert files.read_image(f"{folder}/b", 100) == b"second"
    assert files.read_image(f"{folder}/b", 3) == b"seco"


@pytest.mark.parametrize("store", ["", "memory://"])
def test_a_file_that_is_not_there_is_an_error_of_its_row(store: str, tmp_path: Path) -> None:
    assert isinstance(files.read_image(f"{store}{tmp_path}/gone.png", 10), NoFileError)


def test_a_file_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        files.write_whole(str(tmp_path / "taken"), b"content")

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_what_a_killed_worker_left_is_removed(tmp_path: Path) -> None:
    for name in (".part-1.0abc.partial", "part-1.parquet", ".other"):
        (tmp_path / name).write_bytes(b"")

    assert files.names_in(str(tmp_path)) == [".other", "part-1.parquet"]
    files.remove_partials(str(tmp_path))

    assert sorted(path.name for path in tmp_path.iterdir()) == [".other", "part-1.parquet"]


def test_trouble_that_may_pass_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(fsspec.AbstractFileSystem):
        protocol = "away"

        def _open(self, path: str, **options: object) -> None:
            raise OSError("the network is away")

    fsspec.register_implementation("away", Away, clobber=True)

    with pytest.raises(OSError, match="network"):
        files.read_image("away://bucket/a.png", 10)
