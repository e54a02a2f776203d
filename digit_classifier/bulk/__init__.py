"""Classify millions of images by Dask, on the cores of one machine or of many.

How a run works: :mod:`sources` detects the kinds of the inputs and lists their images,
:mod:`shards` splits the listing, and `run_batch` submits the shards to the workers, a bounded
number at a time. A :mod:`worker` reads and classifies the images of a shard and writes its file.
Neither images nor rows pass through the scheduler. The extra ``distributed`` installs the packages.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice

from tqdm import tqdm

from digit_classifier.errors import MissingPackageError

try:
    import dask
    import fsspec  # noqa: F401
    import pyarrow as pa  # noqa: F401
    from dask.system import CPU_COUNT
    from distributed import (
        CancelledError,
        Client,
        Future,
        KilledWorker,
        LocalCluster,
        as_completed,
    )
    from distributed.comm.core import CommClosedError
except ImportError as exc:
    raise MissingPackageError(
        "Bulk runs need Dask, fsspec and pyarrow: pip install 'digit-classifier[distributed]'."
    ) from exc

from digit_classifier import __version__
from digit_classifier.bulk import storage
from digit_classifier.bulk.output import Output, RunSummary
from digit_classifier.bulk.shards import Manifest, Shard, Source, build_manifest, list_shards
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.worker import Job, ShardResult, classify_shard
from digit_classifier.errors import BulkError, DigitClassifierError
from digit_classifier.models.store import find_model, load_model
from digit_classifier.settings import Settings

#: Shards submitted per worker thread: enough that no thread waits for work, and few, so that the
#: scheduler holds a small part of the run at any time.
SHARDS_PER_THREAD = 3
#: Number of times that a failed shard is tried again: a network may fail for a moment.
_RETRIES = 2
_LOST = "The scheduler was lost; --resume goes on with another one."
#: Seconds to connect, to wait for the first worker (a cluster may start with the run), and between
#: two counts of the workers.
_CONNECT_S, _FIRST_WORKER_S, _COUNT_WORKERS_EVERY_S = 15, 60, 2
#: Seconds between two lines on standard error, where it is not a terminal.
LINE_EVERY_S = 60


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a run.

    Attributes
    ----------
    format : str
        One of :data:`digit_classifier.bulk.formats.FORMATS`.
    shard_size : int
        Images per output file.
    scheduler : str, optional
        Address of a Dask scheduler. By default the cores of this machine do the work.
    n_workers : int, optional
        Number of this machine's cores to use; by default all.
    resume : bool
        Continue a previous run of the same output.
    all_digits : bool
        Read all digits of each image instead of one.
    """

    format: str = "parquet"
    shard_size: int = 2000
    scheduler: str | None = None
    n_workers: int | None = None
    resume: bool = False
    all_digits: bool = False


def run_batch(inputs: Sequence[str], out: str, settings: Settings, options: Options) -> RunSummary:
    """Classify all images of the inputs.

    Parameters
    ----------
    inputs : sequence of str
        Paths or URLs of folders, pictures, archives, IDX files, tables of pixels, lists of paths.
    out : str
        Path or URL of a directory that every worker reaches.
    settings : Settings
        The model, framing and limits.
    options : Options

    Raises
    ------
    BulkError
        The run cannot be started or resumed, or a shard cannot be finished.
    ModelNotFoundError, ModelCorruptError
    """
    sources = [find_source(name) for name in inputs]
    model_file = find_model(settings.model, settings.models_dir)
    model = load_model(settings.model, settings.models_dir)
    job = Job(
        out=storage.absolute(out),
        format=options.format,
        model_name=model.name,
        model_version=model.version,
        release=__version__,
        framing=settings.framing,
        max_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_image_pixels,
        all_digits=options.all_digits,
    )
    # all that the output's bytes depend on, except the content of the inputs
    identity = {
        "inputs": list(inputs),
        "model": {"name": job.model_name, "version": job.model_version},
        "release": job.release,
        "framing": job.framing,
        "max_bytes": job.max_bytes,
        "max_pixels": job.max_pixels,
        "format": job.format,
        "all_digits": job.all_digits,
        "shard_size": options.shard_size,
    }
    output = Output(job, identity)
    # before workers are started and the inputs are listed, which may take minutes
    output.check(resume=options.resume)
    with _connected(options) as client:
        # _classify lists the inputs again: a list of millions of images would not fit in memory
        manifest = build_manifest(sources, options.shard_size)
        if not manifest.n_images:
            skipped = f"; {manifest.n_skipped:,} files skipped" if manifest.n_skipped else ""
            raise BulkError(f"There is no image in {', '.join(inputs)}{skipped}.")
        output.start(manifest, model_file.read_bytes())
        summary = _classify(client, job, sources, options.shard_size, manifest)
        summary.n_skipped = manifest.n_skipped
    output.complete(summary)
    return summary


@contextmanager
def _connected(options: Options) -> Iterator[Client]:
    """Connect to the scheduler, or start one with a worker process per core."""
    # Connection failures are reported by BulkError.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    # Dask keeps a log of a thousand messages by default, with the names of files in them.
    with dask.config.set({"distributed.admin.low-level-log-length": 10}), ExitStack() as stack:
        try:
            address = options.scheduler or stack.enter_context(_local_cluster(options))
            client = stack.enter_context(Client(address, timeout=_CONNECT_S))
            # without any, submitted shards would wait for ever
            client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
        except (OSError, ValueError, TimeoutError) as exc:
            raise BulkError(f"No scheduler with workers is there: {exc}.") from exc
        yield client


def _local_cluster(options: Options) -> LocalCluster:
    """Start a worker process per core, which ignores Ctrl-C: this process stops them in order."""
    is_main = threading.current_thread() is threading.main_thread()
    # processes started while a signal is ignored go on ignoring it, and print no traceback
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None
    try:
        return LocalCluster(
            n_workers=options.n_workers or CPU_COUNT,
            threads_per_worker=1,
            processes=True,
            # They log errors about each other when they stop.
            silence_logs=logging.CRITICAL,
            # A small HTTP server; without Bokeh it has no dashboard.
            dashboard_address="127.0.0.1:0",
        )
    finally:
        if is_main:
            signal.signal(signal.SIGINT, handler)


def _classify(
    client: Client, job: Job, sources: Sequence[Source], size: int, listed: Manifest
) -> RunSummary:
    """Classify all shards; the input must list the same images as before."""
    summary, manifest = RunSummary(), Manifest()

    def list_again() -> Iterator[Shard]:
        for shard in list_shards(sources, size):
            manifest.add(shard)
            yield shard

    with show_progress(listed.n_images) as count:
        for result in _classify_shards(client, job, list_again()):
            summary.add(result)
            count(result.n_images)
    if manifest.fingerprint != listed.fingerprint:
        raise BulkError(
            "The input has changed while it was read; start over with another output folder."
        )
    return summary


def _classify_shards(client: Client, job: Job, shards: Iterator[Shard]) -> Iterator[ShardResult]:
    """Yield results as they arrive, and submit as many further shards."""
    limit = _Backpressure(client)

    def submit(count: int) -> Iterator[Future[ShardResult]]:
        for shard in islice(shards, max(0, count)):
            # not pure, or Dask would hash every shard to reuse the results of equal tasks
            yield client.submit(classify_shard, job, shard, pure=False, retries=_RETRIES)

    pending = as_completed(submit(limit.max_pending()))
    for future in pending:
        try:
            result = future.result()
        except (CancelledError, CommClosedError) as exc:
            raise BulkError(_LOST) from exc
        except KilledWorker as exc:
            raise BulkError(f"Workers died over and over on the same shard: {exc}") from exc
        except DigitClassifierError:  # its text is complete
            raise
        except Exception as exc:  # any error of a worker
            raise BulkError(
                f"A shard cannot be finished: {exc!r}. --resume tries it again."
            ) from exc
        future.release()  # the scheduler forgets the task: its memory does not grow with the run
        yield result
        # not always one: workers may have come or gone
        for other in submit(limit.max_pending() - pending.count()):
            pending.add(other)


class _Backpressure:
    """Limit on the submitted shards, in proportion to the workers, which come and go."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._max_pending, self._counted_at = 0, float("-inf")

    def max_pending(self) -> int:
        """Return the limit; the workers' threads are counted again every few seconds."""
        if time.monotonic() - self._counted_at > _COUNT_WORKERS_EVERY_S:
            try:
                n_threads = sum(self._client.nthreads().values())
            except OSError as exc:
                raise BulkError(_LOST) from exc
            self._max_pending = SHARDS_PER_THREAD * max(1, n_threads)
            self._counted_at = time.monotonic()
        return self._max_pending


@contextmanager
def show_progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how far a run is: a bar on a terminal, else a line each minute.

    Yields
    ------
    callable
        Takes the number of further images that are done.
    """
    n_done, started = 0, time.monotonic()
    next_line = started + LINE_EVERY_S

    def count(n_images: int) -> None:
        nonlocal n_done, next_line
        n_done += n_images
        bar.update(n_images)
        now = time.monotonic()
        if bar.disable and now >= next_line:
            rate = n_done / (now - started)
            print(  # noqa: T201, as tqdm does
                f"{n_done:,} of {total:,} images, {rate:,.0f} a second",
                file=sys.stderr,
                flush=True,
            )
            next_line = now + LINE_EVERY_S

    # disable=None: no bar where standard error is not a terminal
    with tqdm(total=total, unit=" images", unit_scale=True, disable=None) as bar:
        yield count
