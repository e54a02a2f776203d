"""Faults around a running service: full disks, stopped processes, costly and odd requests."""

import io
import os
import pwd
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import requests
from PIL import Image

from tests.deployment import machine as m
from tests.deployment.own_apache import USER, serving
from tests.tmpfs import small_tmpfs

#: The sizes of the small disks: of the logs, what the processes count and report, large bodies.
DISKS = {"logs": "1m", "run/workers": "512k,nr_inodes=64", "bodies": "2m"}
MAX_FILES = 200
#: Pixels a side: a WebP may have no more.
LARGEST_WEBP = 3650


@contextmanager
def serving_on_small_disks(clone, port, **variables):
    """Serve a clone whose logs, counts and large bodies are each on a disk that is soon full."""
    folder = clone.path / "instance" / f"apache-{port}"
    user = pwd.getpwnam(USER or "root")
    owner = f",uid={user.pw_uid},gid={user.pw_gid}"
    with ExitStack() as stack:
        for name, size in DISKS.items():
            stack.enter_context(small_tmpfs(folder / name, size + owner, mode="0700"))
        variables = {"PROCESSES": "2", "BODIES_DIR": str(folder / "bodies")} | variables
        for made in (folder, folder / "run"):
            os.chown(made, user.pw_uid, user.pw_gid)
        yield stack.enter_context(serving(clone, port, **variables))


@contextmanager
def full(folder):
    """Fill the disk of a folder, its room and its number of files, until the block ends."""
    made = [folder / f"filler-{number}" for number in range(MAX_FILES)]
    with suppress(OSError), made[0].open("wb", buffering=0) as file:
        while file.write(bytes(500)):
            pass
    with suppress(OSError):
        for path in made[1:]:
            path.touch()
    try:
        yield
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def thread_states(process):
    """Return the state of each thread of a process, by the kernel's letters; none if one ends."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    with suppress(FileNotFoundError, ProcessLookupError):
        return [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks]
    return []


@contextmanager
def stopped(process):
    """Stop a process by a signal; go on at the end, if it is still there."""
    process.suspend()
    # the signal reaches its threads one by one: one of them may still accept a connection
    m.wait_until(lambda: set(thread_states(process)) == {"T"})
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


@contextmanager
def unwritable_log(apache):
    """Rotate the service's log as somebody does who leaves a file that it cannot write."""
    log = apache.folder / "logs" / "digit-classifier-requests.log"
    log.rename(log.with_suffix(".1"))
    log.mkdir()  # which nobody can write to
    yield
    log.rmdir()


def ask_of_everything(apache):
    """Ask by many routes and methods, each of which is counted by itself; return the statuses."""
    paths = (
        "/",
        "/api/v1/models",
        "/api/v1/openapi.json",
        "/v2",
        "/readyz",
        "/static/x",
        "/x",
        "/status",
    )
    methods = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
    return [
        requests.request(method, apache.address + path, timeout=30).status_code
        for path in paths
        for method in methods
    ]


def large_webp(side):
    """A picture of many pixels in a few bytes."""
    picture = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(picture, "WEBP", lossless=True)
    return picture.getvalue()


def costly_zip(side, n_pictures=256):
    """A ZIP of some kilobytes with large pictures."""
    picture, archive = large_webp(side), io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(n_pictures):
            file.writestr(f"{number}.webp", picture)
    return archive.getvalue()


def nested_json():
    """A batch of lists within lists, nearly as large as one may be."""
    return b'{"images":[' + b"[" * 31_000_000


@contextmanager
def asking(url, content, media_type, n):
    """Let clients send the same all the while, each at least once."""
    ended, answers = [], list[requests.Response]()

    def send(_):
        while True:
            headers = {"Content-Type": media_type}
            answers.append(requests.post(url, data=content, headers=headers, timeout=120))
            if ended:
                return

    with ThreadPoolExecutor(n) as pool:
        for client in range(n):
            pool.submit(send, client)
        yield answers
        ended.append(True)


@contextmanager
def costly_batches(apache, side=LARGEST_WEBP):
    """Let four clients send archives of large pictures."""
    url = f"{apache.address}/api/v1/classify/batch"
    with asking(url, costly_zip(side), "application/zip", 4) as answers:
        yield answers


@contextmanager
def costly_explanations(apache, side=LARGEST_WEBP):
    """Let four clients have a large picture explained."""
    url = f"{apache.address}/api/v1/classify?explain=steps"
    with asking(url, large_webp(side), "image/webp", 4) as answers:
        yield answers


def is_well(apache):
    """Whether there are two processes, all is answered at once, and requests are logged."""
    identity = uuid.uuid4().hex
    try:
        answer = requests.get(
            f"{apache.address}/readyz", headers={"X-Request-ID": identity}, timeout=2
        )
        log = (apache.folder / "logs" / "digit-classifier-requests.log").read_text()
    except (requests.RequestException, OSError):
        return False
    return answer.ok and identity in log and len(apache.ready_workers()) == 2
