import gc
import gzip
import shutil
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from digit_classifier.datasets import load_mnist
from digit_classifier.datasets.fetch import fetch_mnist
from digit_classifier.datasets.mnist import CHECKSUMS
from digit_classifier.errors import DatasetCorruptError, DatasetMissingError, DownloadError

FIRST = "train-images-idx3-ubyte"


def _quiet(line):
    """Report nothing."""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Keep the requests out of the tests' output."""


class CutOffHandler(QuietHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"\x1f\x8b\x08 and no more")


@pytest.fixture
def serve():
    """Start HTTP servers of a folder on the loopback; return each one's address."""
    servers = []

    def start(folder, handler=QuietHandler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def dead_mirror():
    """Address of a port that nobody listens on, and nobody can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "new" / "data"


def _assert_holds_exactly_the_four_files(folder):
    assert {path.name for path in folder.iterdir()} == set(CHECKSUMS)
    load_mnist(folder)


def test_fetch_copies_from_a_folder(trusted_drawn_mnist, folder):
    lines = []
    fetch_mnist(folder, source=trusted_drawn_mnist, report=lines.append)
    _assert_holds_exactly_the_four_files(folder)
    assert lines == [f"{name}: copied from {trusted_drawn_mnist}, verified" for name in CHECKSUMS]


def test_fetch_leaves_verified_files_alone(trusted_drawn_mnist, folder):
    fetch_mnist(folder, source=trusted_drawn_mnist, report=_quiet)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    lines = []
    fetch_mnist(folder, mirrors=(), report=lines.append)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert lines == [f"{name}: already there, verified" for name in CHECKSUMS]


def test_fetch_takes_a_gzipped_file_that_is_there(trusted_drawn_mnist, folder):
    shutil.copytree(trusted_drawn_mnist, folder)
    fetch_mnist(folder, mirrors=(), report=_quiet)
    assert {path.name for path in folder.iterdir()} == {f"{name}.gz" for name in CHECKSUMS}


def test_fetch_from_a_folder_without_the_files_names_it(tmp_path, folder):
    with pytest.raises(DatasetMissingError, match=FIRST):
        fetch_mnist(folder, source=tmp_path, report=_quiet)
    assert list(folder.iterdir()) == []


def test_fetch_from_a_folder_of_other_files_stores_nothing(drawn_mnist_dir, folder):
    with pytest.raises(DatasetCorruptError, match=f"{FIRST}.gz is not MNIST's"):
        fetch_mnist(folder, source=drawn_mnist_dir, report=_quiet)
    assert list(folder.iterdir()) == []


def test_fetch_downloads_over_http(trusted_drawn_mnist, folder, serve):
    mirror = serve(trusted_drawn_mnist)
    lines = []
    fetch_mnist(folder, mirrors=(mirror,), report=lines.append)
    _assert_holds_exactly_the_four_files(folder)
    assert lines == [f"{name}: downloaded from {mirror}, verified" for name in CHECKSUMS]


def test_fetch_passes_over_a_dead_mirror(trusted_drawn_mnist, folder, serve, dead_mirror):
    mirror = serve(trusted_drawn_mnist)
    lines = []
    fetch_mnist(folder, mirrors=(dead_mirror, mirror), report=lines.append)
    _assert_holds_exactly_the_four_files(folder)
    assert lines[0].startswith(f"{FIRST}: {dead_mirror} failed: no connection")
    assert lines[1] == f"{FIRST}: downloaded from {mirror}, verified"


# requests leaves the socket of a connection that broke to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("fault", ["other file", "page", "damaged gzip", "not found", "cut off"])
def test_fetch_passes_over_a_mirror_that_serves_something_else(
    trusted_drawn_mnist, folder, serve, tmp_path, fault
):
    bad = shutil.copytree(trusted_drawn_mnist, tmp_path / "bad")
    content = {
        "other file": (bad / "t10k-images-idx3-ubyte.gz").read_bytes(),
        "page": b"<!doctype html><title>Log in</title>",
        "damaged gzip": (bad / f"{FIRST}.gz").read_bytes()[:-100],
    }
    (bad / f"{FIRST}.gz").unlink()
    if fault in content:
        (bad / f"{FIRST}.gz").write_bytes(content[fault])
    bad_mirror = serve(bad, CutOffHandler if fault == "cut off" else QuietHandler)
    good_mirror = serve(trusted_drawn_mnist)
    lines = []
    fetch_mnist(folder, mirrors=(bad_mirror, good_mirror), report=lines.append)
    _assert_holds_exactly_the_four_files(folder)
    gc.collect()
    assert lines[0].startswith(f"{FIRST}: {bad_mirror} failed: ")
    assert lines[1] == f"{FIRST}: downloaded from {good_mirror}, verified"


def test_fetch_without_a_network_says_what_to_do_and_leaves_nothing(
    trusted_drawn_mnist, folder, dead_mirror
):
    with pytest.raises(DownloadError) as caught:
        fetch_mnist(folder, mirrors=(dead_mirror, dead_mirror), report=_quiet)
    assert str(caught.value) == (
        f"No mirror gave {FIRST}. Without a network, put the four MNIST files in a folder and run "
        "'digit-classifier data fetch --from FOLDER', or set DIGIT_CLASSIFIER_DATA_DIR to it."
    )
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_fetch_replaces_a_corrupt_file(trusted_drawn_mnist, folder, serve, suffix):
    folder.mkdir(parents=True)
    corrupt = folder / f"{FIRST}{suffix}"
    corrupt.write_bytes(gzip.compress(b"half a file")[:-4])
    lines = []
    fetch_mnist(folder, mirrors=(serve(trusted_drawn_mnist),), report=lines.append)
    assert lines[0].endswith("Replacing it.")
    load_mnist(folder)
    assert {path.name for path in folder.iterdir()} == {*CHECKSUMS}


def test_fetch_that_cannot_replace_a_corrupt_file_leaves_it(
    trusted_drawn_mnist, folder, dead_mirror
):
    folder.mkdir(parents=True)
    (folder / FIRST).write_bytes(b"half a file")
    with pytest.raises(DownloadError):
        fetch_mnist(folder, mirrors=(dead_mirror,), report=_quiet)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"half a file"]
