"""A shard is written once and whole; a file that is there already is trusted only where it is."""

from pathlib import Path

import pytest

from digit_classifier import __version__
from digit_classifier.bulk import storage
from digit_classifier.bulk.formats import FORMATS
from digit_classifier.bulk.shards import list_shards
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.worker import Job, classify_shard
from digit_classifier.errors import OutOfTimeError
from digit_classifier.models.store import PRETRAINED
from tests.bulk import inputs


@pytest.fixture(params=FORMATS)
def job(request, tmp_path, classifier):
    """A run of the shipped model whose output's folder is begun."""
    job = Job(
        out=str(tmp_path / "out"),
        format=request.param,
        model_name="mlp",
        model_version=classifier.model.version,
        release=__version__,
        framing="auto",
        max_bytes=100_000,
        max_pixels=1_000_000,
        all_digits=False,
    )
    storage.make_directory(str(Path(job.model_url).parent))
    storage.write_atomic(job.model_url, (PRETRAINED / "mlp" / "model.safetensors").read_bytes())
    return job


@pytest.fixture
def shard(tmp_path, digit_files):
    """The first three of ten drawn digits."""
    archive = inputs.write_zip(tmp_path / "a.zip", digit_files)
    return next(list_shards([find_source(str(archive))], 3))


def rewritten(job, shard, change):
    """Write a shard's file, then whole again, but with other rows; return its path."""
    result = classify_shard(job, shard)
    assert (result.n_images, result.n_accepted, result.errors) == (3, 3, {})
    path = Path(job.out, job.shard_name(shard.index))
    form = FORMATS[job.format]
    rows = change(_all_columns(form.decode(path.read_bytes())))
    path.write_bytes(form.encode(rows))
    return path


def _all_columns(rows):
    """Give rows of what a shard is counted by the columns that may not be empty."""
    named = {"source": "a.zip", "model_name": "mlp", "model_version": "0"}
    return [named | row for row in rows]


def test_a_file_that_is_whole_is_not_written_again(job, shard):
    path = rewritten(job, shard, lambda rows: rows[::-1])
    before = path.read_bytes()

    result = classify_shard(job, shard)

    assert path.read_bytes() == before
    assert (result.n_images, result.n_accepted, result.n_bytes) == (3, 3, len(before))


@pytest.mark.parametrize("n_rows", [0, 1, 2, 4])
def test_a_file_with_too_few_or_too_many_rows_is_written_again(n_rows, job, shard):
    path = rewritten(job, shard, lambda rows: (2 * rows)[:n_rows])

    result = classify_shard(job, shard)

    assert result.n_images == 3
    assert len(FORMATS[job.format].decode(path.read_bytes())) == 3


def test_pictures_that_were_given_up_as_out_of_time_are_read_again(job, shard):
    lost = {"accepted": None, "error_code": OutOfTimeError.code}
    rewritten(job, shard, lambda rows: [*rows[:2], rows[2] | lost])

    result = classify_shard(job, shard)

    assert (result.n_accepted, result.errors) == (3, {})


def test_pictures_that_cannot_be_read_are_not_tried_again(job, shard):
    broken = {"accepted": None, "error_code": "broken_image"}
    rewritten(job, shard, lambda rows: [*rows[:2], rows[2] | broken])

    result = classify_shard(job, shard)

    assert (result.n_accepted, result.errors) == (2, {"broken_image": 1})
