"""Faults around a running service: full disks, stopped processes, costly and odd requests."""

import io
import os
import pwd
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import requests
from PIL import Image

from tests.deployment.clone import Clone
from tests.deployment.own_apache import USER, OwnApache, serving
from tests.tmpfs import small_tmpfs

#: The sizes of the small disks: for the logs, and for what the processes count and report.
LOGS_SIZE, WORKERS_SIZE = "256k", "512k,nr_inodes=64"
MAX_FILES = 200


@contextmanager
def serving_on_small_disks(clone: Clone, port: int, **variables: str) -> Iterator[OwnApache]:
    """Serve a clone whose logs and counts are each on a disk of their own that is soon full."""
    folder = clone.path / "instance" / f"apache-{port}"
    user = pwd.getpwnam(USER or "root")
    owner = f",uid={user.pw_uid},gid={user.pw_gid}"
    with ExitStack() as stack:
        for name, size in (("logs", LOGS_SIZE), ("run/workers", WORKERS_SIZE)):
            stack.enter_context(small_tmpfs(folder / name, size + owner, mode="0700"))
        for made in (folder, folder / "run"):
            os.chown(made, user.pw_uid, user.pw_gid)
        yield stack.enter_context(serving(clone, port, PROCESSES="2", **variables))


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill the disk of a folder, its room and its number of files, for as long as the block lasts."""
    made = []
    with suppress(OSError):
        for number in range(MAX_FILES):
            made.append(folder / f"filler-{number}")
            with made[-1].open("wb", buffering=0) as file:
                while number == 0 and file.write(bytes(500)):
                    pass
    # the first is as large as there was room
    with suppress(OSError):
        for number in range(1, MAX_FILES):
            made.append(folder / f"filler-{number}")
            made[-1].touch()
    try:
        yield
    finally:
        for path in made:
            path.unlink(missing_ok=True)


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """Stop a process by a signal; go on at the end, if it is still there."""
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def costly_zip(n_pictures: int = 256) -> bytes:
    """A ZIP of some kilobytes with pictures of as many pixels as a WebP may have."""
    picture, archive = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (3650, 3650), "white").save(picture, "WEBP", lossless=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(n_pictures):
            file.writestr(f"{number}.webp", picture.getvalue())
    return archive.getvalue()


@contextmanager
def costly_batches(apache: OwnApache, n_clients: int = 4) -> Iterator[list[requests.Response]]:
    """Let clients send costly archives all the while; each sends one at least."""
    content, ended, answers = costly_zip(), [], list[requests.Response]()

    def send(_: int) -> None:
        while True:
            url = f"{apache.address}/api/v1/classify/batch"
            headers = {"Content-Type": "application/zip"}
            answers.append(requests.post(url, data=content, headers=headers, timeout=120))
            if ended:
                return

    with ThreadPoolExecutor(n_clients) as pool:
        for client in range(n_clients):
            pool.submit(send, client)
        yield answers
        ended.append(True)
