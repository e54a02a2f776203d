"""Runs on a real scheduler, whose processes are killed."""

import hashlib
import itertools
import json
import re
import signal
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from digit_classifier.bulk import Options, run_batch, storage
from digit_classifier.bulk.output import Output
from digit_classifier.errors import BulkError
from digit_classifier.settings import Settings
from tests.bulk import inputs
from tests.bulk.cluster import Cluster, start_batch, wait_until
from tests.ports import free_port

N_IMAGES, SHARD_SIZE = 1200, 15
N_SHARDS = N_IMAGES // SHARD_SIZE


@pytest.fixture(scope="module")
def many(digit_files, tmp_path_factory):
    """A ZIP archive that takes a few seconds to read; every hundredth image is broken."""
    contents = itertools.cycle(digit_files.values())
    images = {f"{n:05}.png": next(contents) for n in range(N_IMAGES)}
    images |= {f"{n:05}.png": b"no image" for n in range(0, N_IMAGES, 100)}
    return inputs.write_zip(tmp_path_factory.mktemp("many") / "many.zip", images)


@pytest.fixture
def run(cluster, tmp_path):
    """Make a run in this process, on the cluster, and return what its manifest says."""

    def run(*names, out=tmp_path / "out", **options):
        settings = Settings(models_dir=tmp_path / "none", max_upload_bytes=100_000)
        own = {"scheduler": cluster.address, "shard_size": 3, **options}
        run_batch([str(name) for name in names], str(out), settings, Options(**own))
        return manifest(out)

    return run


def manifest(out):
    return json.loads(Path(str(out), "_manifest.json").read_text())


def contents(out):
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def n_shards(out):
    return len(list(out.glob("part-*")))


def test_inputs_of_all_kinds_become_rows_in_their_order(run, tmp_path, digit_files):
    folder = inputs.write_folder(tmp_path / "folder", digit_files)
    listed = inputs.write_text(tmp_path / "list.txt", [f"folder/{name}" for name in digit_files])
    archives = (
        inputs.write_zip(tmp_path / "a.zip", digit_files),
        inputs.write_tar(tmp_path / "a.tar.gz", digit_files, "w:gz"),
    )

    written = run(folder, *archives, listed)

    table = pq.read_table(tmp_path / "out")  # as readers of Parquet do: no name with "_" or "."
    assert table["prediction"].to_pylist() == 4 * list(range(10))
    assert table["name"].to_pylist()[:10] == list(digit_files)
    assert table["source"].to_pylist()[10:20] == 10 * [str(archives[0])]
    assert written["counts"] | {"bytes": 0} == {
        "images": 40, "read": 40, "accepted": 40, "errors": {}, "skipped": 0, "bytes": 0
    }  # fmt: skip
    assert written["complete"] is True
    assert written["run"]["shards"] == n_shards(tmp_path / "out") == 4 * 4


@pytest.mark.parametrize("store", ["file://", "memory://"])
def test_input_and_output_may_be_in_a_store(store, tmp_path, digit_files):
    path = inputs.write_tar(tmp_path / "a.tar.gz", digit_files, "w:gz")
    fsspec.filesystem("memory").put(str(path), str(path))
    out = f"{store}{tmp_path}/out"
    settings = Settings(models_dir=tmp_path / "none")

    # in this process, as its memory is the store, whose open files have one position for all
    n_threads = 1 if store == "memory://" else 2
    with LocalCluster(
        n_workers=1, threads_per_worker=n_threads, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        options = Options(scheduler=cluster.scheduler_address, shard_size=3)
        run_batch([f"{store}{path}"], out, settings, options)
        resumed = run_batch([f"{store}{path}"], out, settings, replace(options, resume=True))

    parts = [f"part-{n:08}.parquet" for n in range(4)]
    assert storage.list_names(out) == ["_SHA256SUMS", "_manifest.json", "_model", *parts]
    assert resumed.n_images == resumed.n_accepted == 10
    content = storage.read_image(f"{out}/part-00000003.parquet", 100_000)
    assert pq.read_table(BytesIO(content))["prediction"].to_pylist() == [9]


def test_two_runs_give_the_same_bytes_and_their_checksums(run, tmp_path, digit_files):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files | {"text.png": b"no image"})
    one, other = tmp_path / "one", tmp_path / "other"

    written = run(path, out=one, format="jsonl")
    run(path, out=other, format="jsonl")

    assert contents(one) == contents(other)
    sums = dict(
        reversed(line.split("  ")) for line in (one / "_SHA256SUMS").read_text().splitlines()
    )
    assert sums == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in contents(one).items()
        if name.startswith("part-")
    }
    assert written["counts"]["errors"] == {"unsupported_image": 1}
    assert written["counts"]["read"] == 10


def test_a_worker_a_scheduler_and_a_client_are_killed_and_nothing_is_lost_or_twice(
    many, tmp_path, run
):
    out, undisturbed = tmp_path / "out", tmp_path / "undisturbed"

    def start(address, *more):
        options = ("--scheduler", address, "--shard-size", SHARD_SIZE, *more)
        return start_batch(tmp_path, many, "-o", out, *options)

    with Cluster(tmp_path) as cluster, start(cluster.address) as client:
        wait_until(lambda: n_shards(out) >= N_SHARDS // 8)
        cluster.workers[0].kill()
        wait_until(lambda: n_shards(out) >= N_SHARDS // 4)
        cluster.scheduler.kill()
        assert client.wait(30) == 1
        assert client.stdout is not None
        assert "The scheduler was lost; --resume" in client.stdout.read()
        assert not manifest(out)["complete"]
    n_done = n_shards(out)
    assert N_SHARDS // 4 <= n_done < N_SHARDS

    with Cluster(tmp_path, 1) as cluster, start(cluster.address, "--resume") as client:
        wait_until(lambda: n_shards(out) > n_done)
        client.send_signal(signal.SIGKILL)
        client.wait(30)
        # what a crash may leave besides
        assert n_shards(out) < N_SHARDS
        (out / "part-00000003.parquet").write_bytes(b"PAR1 half of it")
        (out / ".part-00000004.parquet.0abc.partial").write_bytes(b"PAR1")
        kept = (out / "part-00000001.parquet").stat().st_mtime_ns
        with start(cluster.address, "--resume") as last:
            assert last.wait(60) == 0

    run(many, out=undisturbed, shard_size=SHARD_SIZE)
    found, expected = contents(out), contents(undisturbed)
    assert found.pop("_manifest.json") != expected.pop("_manifest.json")  # another limit on bytes
    assert found == expected
    assert (out / "part-00000001.parquet").stat().st_mtime_ns == kept
    names = pq.read_table(out)["name"].to_pylist()
    assert names == [f"{n:05}.png" for n in range(N_IMAGES)]
    assert manifest(out)["counts"] == manifest(undisturbed)["counts"]
    assert manifest(out)["counts"]["errors"] == {"unsupported_image": N_IMAGES // 100}


@pytest.fixture
def interrupted(run, tmp_path, digit_files):
    """The input of a run that has lost a shard and its manifest's end."""
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)
    run(path)
    (tmp_path / "out" / "part-00000001.parquet").unlink()
    return path


def test_without_resume_a_former_run_is_kept(run, interrupted, tmp_path):
    before = contents(tmp_path / "out")

    with pytest.raises(BulkError, match="holds a run already: go on with it by --resume"):
        run(interrupted)

    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("options", "differing"),
    [
        ({"shard_size": 4}, "these differ: shard_size"),
        ({"format": "jsonl"}, "these differ: format"),
    ],
)
def test_a_run_is_resumed_as_it_was_or_not(options, differing, run, interrupted):
    with pytest.raises(BulkError, match=differing):
        run(interrupted, resume=True, **options)


def test_a_run_is_not_resumed_with_another_model(run, interrupted, tmp_path, cluster):
    settings = Settings(model="softmax", max_upload_bytes=100_000, models_dir=tmp_path / "none")
    options = Options(scheduler=cluster.address, shard_size=3, resume=True)

    with pytest.raises(BulkError, match="these differ: model"):
        run_batch([str(interrupted)], str(tmp_path / "out"), settings, options)


def test_a_run_is_not_resumed_with_another_input(run, interrupted, digit_files):
    inputs.write_zip(interrupted, dict.fromkeys(digit_files, digit_files["first/1.png"]))

    with pytest.raises(BulkError, match="these differ: fingerprint"):
        run(interrupted, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_an_input_that_changes_after_it_was_listed_ends_the_run(
    resume, run, tmp_path, digit_files, monkeypatch
):
    folder = inputs.write_folder(tmp_path / "folder", digit_files)
    start = Output.start

    def start_and_add_a_file(output, manifest, model):
        start(output, manifest, model)
        (folder / "third.png").write_bytes(digit_files["first/3.png"])

    monkeypatch.setattr(Output, "start", start_and_add_a_file)

    with pytest.raises(BulkError, match="The input has changed while it was read"):
        run(folder, resume=resume)

    assert manifest(tmp_path / "out")["complete"] is False
    assert not (tmp_path / "out" / "_SHA256SUMS").exists()


def test_a_damaged_manifest_is_reported(run, interrupted, tmp_path):
    (tmp_path / "out" / "_manifest.json").write_text("{")

    with pytest.raises(BulkError, match=r"_manifest\.json is damaged"):
        run(interrupted, resume=True)


def test_a_folder_of_something_else_is_kept(run, tmp_path, digit_files):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)

    with pytest.raises(BulkError, match="is not empty, and is not the output of a run"):
        run(path, out=tmp_path)


def test_a_run_that_was_killed_as_it_began_is_begun_again(run, tmp_path, digit_files):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)
    (tmp_path / "out" / "_model").mkdir(parents=True)
    (tmp_path / "out" / "._manifest.json.0abc.partial").write_bytes(b"{")

    assert run(path)["complete"] is True


def test_resume_begins_where_nothing_is_yet_and_confirms_what_is_done(run, tmp_path, digit_files):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)

    first = run(path, resume=True)
    before = contents(tmp_path / "out")

    assert run(path, resume=True) == first
    assert contents(tmp_path / "out") == before


def test_an_output_that_workers_put_elsewhere_is_reported(run, tmp_path, digit_files, cluster):
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)

    # the memory of a process: the workers have not the model that the client wrote to its own
    with pytest.raises(BulkError, match=r"A shard cannot be finished: FileNotFoundError"):
        run(path, out="memory://out")


def test_inputs_without_an_image_are_refused(run, tmp_path):
    with pytest.raises(BulkError, match="There is no image in"):
        run(inputs.write_text(tmp_path / "list.txt", []))

    assert not (tmp_path / "out").exists()


def test_a_scheduler_that_is_not_there_is_reported(run, tmp_path, digit_files, monkeypatch):
    monkeypatch.setattr("digit_classifier.bulk._CONNECT_S", 1)
    path = inputs.write_zip(tmp_path / "a.zip", digit_files)

    with pytest.raises(BulkError, match="No scheduler with workers is there"):
        run(path, scheduler=f"tcp://127.0.0.1:{free_port()}")


def test_workers_use_one_thread_for_linear_algebra(run, tmp_path, digit_files, cluster):
    from distributed import Client
    from threadpoolctl import threadpool_info

    run(inputs.write_zip(tmp_path / "a.zip", digit_files), shard_size=1)

    with Client(cluster.address) as client:
        pools = client.run(threadpool_info)
    threads = [pool["num_threads"] for found in pools.values() for pool in found]
    assert threads
    assert set(threads) == {1}


def _peak_mebibytes(cwd, *arguments):
    """Return the peak resident memory of the client."""
    peak = 0
    with start_batch(cwd, *arguments) as process:
        status = Path(f"/proc/{process.pid}/status")
        # not by wait4, which counts this process before the command begins
        while process.poll() is None:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            peak = int(found[1]) if found else peak
            time.sleep(0.05)
        assert process.stdout is not None
        assert process.returncode == 0, process.stdout.read()
    return peak / 1024


def test_a_long_list_needs_no_more_memory_than_a_short_one(tmp_path, cluster):
    long = f"{'a long name of a folder ' * 8}/{{}}.png"
    peaks = []
    for count in (2000, 200_000):
        path = inputs.write_text(tmp_path / f"{count}.txt", list(map(long.format, range(count))))
        out = tmp_path / f"out {count}"
        peaks.append(_peak_mebibytes(tmp_path, path, "-o", out, "--scheduler", cluster.address))
        assert manifest(out)["counts"]["errors"] == {"no_file": count}

    assert path.stat().st_size > 40_000_000  # much more than the difference allowed
    assert peaks[1] - peaks[0] < 10
