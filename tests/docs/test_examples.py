"""The examples of the pages about the service, run against it; among them each command of the
documentation of the older services whose clients are served, and a request for each error.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.deployment.clone import environment
from tests.docs.replay import blocks_of, mismatch, run
from tests.web.serving import make_app, serving

ROOT = Path(__file__).parents[2]
DATA_DIR = Path(os.environ.get("DIGIT_CLASSIFIER_DATA_DIR", "data")).absolute()
PAGES = ("README.md", "docs/api.md", "docs/compatibility.md", "tests/docs/errors.md")
BLOCKS = {
    f"{page}: {block[0].command[:50]} ({number})": block
    for page in PAGES
    for number, block in enumerate(blocks_of(ROOT / page), 1)
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder that looks like the clone's root, where models may be trained."""
    folder = tmp_path_factory.mktemp("root")
    for name in ("digit_classifier", "docs", "README.md"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    # curl shows its progress where it does not write to a terminal
    (folder / ".curlrc").write_text("silent\nshow-error\n")
    return folder


@pytest.fixture(scope="module")
def address(mnist, place):
    """A server with MNIST; what is trained during the test does not come to it."""
    with serving(make_app(place / "no models", data_dir=DATA_DIR)) as url:
        yield url.removeprefix("http://")


@pytest.mark.parametrize("name", BLOCKS)
def test_commands_print_what_the_page_shows(name, place, address):
    variables = environment(
        CURL_HOME=str(place),
        DIGIT_CLASSIFIER_DATA_DIR=str(DATA_DIR),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    )
    for example, output in run(BLOCKS[name], place, variables, address):
        assert mismatch(example.printed, output) is None, example.command


@pytest.mark.parametrize(("page", "n_commands"), [("README.md", 3), ("docs/compatibility.md", 35)])
def test_pages_have_their_commands(page, n_commands):
    assert sum(map(len, blocks_of(ROOT / page))) >= n_commands


@pytest.mark.parametrize(
    ("printed", "output", "alike"),
    [
        ("a 1 b", "a 1 b\n\n", True),
        ("a 1 b", "a 2 b", False),
        ("0.99", "0.985", True),
        ("0.99", "0.97", False),
        ("0.9921", "1", True),
        ("a…c", "abbc", True),
        ("a…c", "abbd", False),
        ("a…", "a\nb\nc", True),
        ("0.5 … 0.5", "0.505 x 0.495", True),
        ("0.5 … 0.5", "0.505 x 0.4", False),
    ],
)
def test_comparison_separates_alike_from_unlike(printed, output, alike):
    assert (mismatch(printed, output) is None) is alike
