"""A bulk run: shards to the workers, a bounded number at a time, and their records back."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import dask
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
from tqdm import tqdm

from digit_classifier import __version__
from digit_classifier.bulk import storage
from digit_classifier.bulk.output import Output, Totals
from digit_classifier.bulk.shards import Census, Shard, list_shards, take_census
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.sources.base import Source
from digit_classifier.bulk.worker import Job, Record, classify_shard
from digit_classifier.errors import BulkError, DigitClassifierError
from digit_classifier.models.store import find_model, load_model
from digit_classifier.settings import Settings

#: Shards that are at a worker or on the way, for each of the workers' threads: enough that none
#: waits for work, and few, so that the scheduler knows a small part of the run at any time.
IN_FLIGHT = 3
#: How often one that fails is tried again: a network may fail for a moment.
RETRIES = 2
_LOST = "The scheduler was lost; --resume goes on with another one."
_CONNECT_S, _FIRST_WORKER_S, _COUNT_S = 15, 60, 2


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is made.

    Attributes
    ----------
    format : str
        One of :data:`digit_classifier.bulk.formats.FORMATS`.
    shard_size : int
    scheduler : str, optional
        Address of a Dask scheduler; without one, this machine's cores do the work.
    n_workers : int, optional
        How many of them; by default all.
    resume : bool
    """

    format: str = "parquet"
    shard_size: int = 2000
    scheduler: str | None = None
    n_workers: int | None = None
    resume: bool = False


def run_batch(inputs: Sequence[str], out: str, settings: Settings, options: Options) -> Totals:
    """Classify all images of the inputs.

    Parameters
    ----------
    inputs : sequence of str
        Paths or URLs of folders, archives, IDX files and lists of paths.
    out : str
        Path or URL of a folder that every worker reaches.
    settings : Settings
        The model, framing and limits.
    options : Options

    Raises
    ------
    BulkError
        It cannot begin or be resumed, or a shard cannot be finished.
    ModelNotFoundError, ModelCorruptError
    """
    sources = [find_source(name) for name in inputs]
    model_file = find_model(settings.model, settings.models_dir)
    job = _job(out, settings, options)
    output = Output(job, _identity(job, inputs, options))
    output.open(resume=options.resume)
    with _connected(options) as client:
        census = take_census(sources, options.shard_size)
        if not census.n_images:
            raise BulkError(f"There is no image in {', '.join(inputs)}.")
        output.begin(census, model_file.read_bytes())
        totals = _classify(client, job, sources, options.shard_size, census)
    output.finish(totals)
    return totals


def _job(out: str, settings: Settings, options: Options) -> Job:
    model = load_model(settings.model, settings.models_dir)
    return Job(
        out=storage.absolute(out),
        format=options.format,
        model_name=model.name,
        model_version=model.version,
        release=__version__,
        framing=settings.framing,
        max_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_image_pixels,
    )


def _identity(job: Job, inputs: Sequence[str], options: Options) -> dict[str, Any]:
    """Name all that the bytes of the output depend on, besides what is in the inputs."""
    return {
        "inputs": list(inputs),
        "model": {"name": job.model_name, "version": job.model_version},
        "release": job.release,
        "framing": job.framing,
        "max_bytes": job.max_bytes,
        "max_pixels": job.max_pixels,
        "format": job.format,
        "shard_size": options.shard_size,
    }


@contextmanager
def _connected(options: Options) -> Iterator[Client]:
    """Connect to the scheduler, or start one with a process a core; without its dashboard."""
    # what becomes of the connection is told by our own errors
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    # what was sent is logged, the names of files with it: a thousand messages by default
    with dask.config.set({"distributed.admin.low-level-log-length": 10}), ExitStack() as stack:
        try:
            address = options.scheduler or stack.enter_context(_own_cluster(options.n_workers))
            client = stack.enter_context(Client(address, timeout=_CONNECT_S))
            client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
        except (OSError, ValueError, TimeoutError) as exc:
            raise BulkError(f"No scheduler with workers is there: {exc}.") from exc
        yield client


def _own_cluster(n_workers: int | None) -> LocalCluster:
    return LocalCluster(
        n_workers=n_workers or CPU_COUNT,
        threads_per_worker=1,
        processes=True,
        # at the end they complain of one another; what matters is told by our own errors
        silence_logs=logging.CRITICAL,
        # its small HTTP server; without Bokeh there is no dashboard on it
        dashboard_address="127.0.0.1:0",
    )


def _classify(
    client: Client, job: Job, sources: Sequence[Source], size: int, listed: Census
) -> Totals:
    totals, census = Totals(), Census()
    with tqdm(total=listed.n_images, unit=" images", unit_scale=True, disable=None) as progress:
        for record in _records(client, job, _counted(list_shards(sources, size), census)):
            totals.add(record)
            progress.update(record.n_images)
    if census.fingerprint != listed.fingerprint:
        raise BulkError("The input has changed while it was read; begin anew in another folder.")
    return totals


def _counted(shards: Iterator[Shard], census: Census) -> Iterator[Shard]:
    for shard in shards:
        census.add(shard)
        yield shard


def _records(client: Client, job: Job, shards: Iterator[Shard]) -> Iterator[Record]:
    """Yield the records as they come, and hand out as many shards as were done."""
    window = _Window(client)
    pending = as_completed(_submit(client, job, shards, window.size()))
    for future in pending:
        record = _result(future)
        future.release()
        yield record
        for other in _submit(client, job, shards, window.size() - pending.count()):
            pending.add(other)


def _submit(
    client: Client, job: Job, shards: Iterator[Shard], count: int
) -> Iterator[Future[Record]]:
    for shard in islice(shards, max(0, count)):
        yield client.submit(classify_shard, job, shard, pure=False, retries=RETRIES)


def _result(future: Future[Record]) -> Record:
    try:
        return future.result()
    except (CancelledError, CommClosedError) as exc:
        raise BulkError(_LOST) from exc
    except KilledWorker as exc:
        raise BulkError(f"Workers died over and over on the same shard: {exc}") from exc
    except DigitClassifierError:
        raise
    except Exception as exc:  # whatever it was, it was elsewhere
        raise BulkError(f"A shard cannot be finished: {exc!r}. --resume tries it again.") from exc


class _Window:
    """How many shards may be under way: workers come and go."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._size, self._counted_at = 0, float("-inf")

    def size(self) -> int:
        """Count the workers' threads, but not at every shard."""
        if time.monotonic() - self._counted_at > _COUNT_S:
            try:
                n_threads = sum(self._client.nthreads().values())
            except OSError as exc:
                raise BulkError(_LOST) from exc
            self._size = IN_FLIGHT * max(1, n_threads)
            self._counted_at = time.monotonic()
        return self._size
