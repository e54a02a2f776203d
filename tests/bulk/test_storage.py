import resource

import fsspec
import pytest
from fsspec.registry import known_implementations

from digit_classifier.bulk import storage
from digit_classifier.errors import NoFileError


@pytest.mark.parametrize("store", ["", "file://", "memory://"])
def test_a_file_is_written_and_listed_wherever_it_is(store, tmp_path):
    folder = f"{store}{tmp_path}/out"

    assert storage.list_names(folder) == []
    storage.make_directory(f"{folder}/below")
    storage.write_atomic(f"{folder}/b", b"first")
    storage.write_atomic(f"{folder}/b", b"second")
    storage.write_atomic(f"{folder}/a", b"")

    assert storage.list_names(folder) == ["a", "b", "below"]
    assert storage.read_image(f"{folder}/b", 100) == b"second"
    assert storage.read_image(f"{folder}/b", 3) == b"seco"


@pytest.mark.parametrize("store", ["", "memory://"])
def test_a_file_that_is_not_there_is_an_error_of_its_row(store, tmp_path):
    assert isinstance(storage.read_image(f"{store}{tmp_path}/gone.png", 10), NoFileError)


@pytest.mark.parametrize(
    "line",
    [
        "/proc/self/mem",  # its first page cannot be read
        "/proc/self/clear_refs",  # it can only be written
        "/dev/zero",
        "x" * 5000,
        "dir://x",
        "reference://x",
        "github://owner/repository",
        "unknown://x",
        "::::",
    ],
)
def test_an_odd_line_of_a_list_is_an_error_of_its_row(line):
    assert isinstance(storage.read_image(storage.join("/tmp", line), 100), NoFileError)


def test_reading_does_not_wait_for_a_file_that_has_no_content_yet():
    # the kernel's messages: once all are read, a reader waits for the next
    answers = (storage.read_image("/proc/kmsg", 10_000) for _ in range(10_000))

    assert any(isinstance(answer, NoFileError) for answer in answers)


def test_a_store_whose_package_is_missing_is_an_error_of_its_row(monkeypatch):
    monkeypatch.setitem(
        known_implementations,
        "far",
        {"class": "no_such_package.FarFileSystem", "err": "Install no_such_package."},
    )

    answer = storage.read_image("far://bucket/1.png", 100)

    assert isinstance(answer, NoFileError)
    assert "Install no_such_package" in str(answer)


def test_a_local_failure_that_may_pass_is_raised(tmp_path):
    (tmp_path / "1.png").write_bytes(b"content")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            storage.read_image(str(tmp_path / "1.png"), 100)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        storage.write_atomic(str(tmp_path / "taken"), b"content")

    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_what_a_killed_worker_left_is_removed(tmp_path):
    for name in (".part-1.0abc.partial", "part-1.parquet", ".other"):
        (tmp_path / name).write_bytes(b"")

    assert storage.list_names(str(tmp_path)) == [".other", "part-1.parquet"]
    storage.remove_partials(str(tmp_path))

    assert sorted(path.name for path in tmp_path.iterdir()) == [".other", "part-1.parquet"]


def test_trouble_that_may_pass_is_raised(monkeypatch):
    class Away(fsspec.AbstractFileSystem):
        protocol = "away"

        def _open(self, path, **options):
            raise OSError("the network is away")

    fsspec.register_implementation("away", Away, clobber=True)

    with pytest.raises(OSError, match="network"):
        storage.read_image("away://bucket/a.png", 10)
