"""docs/extending.md: the classifier that the page adds, added to a copy of the package and used."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployment.clone import environment
from tests.docs.replay import blocks_of, mismatch, run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
DATA_DIR = Path(os.environ.get("DIGIT_CLASSIFIER_DATA_DIR", "data")).absolute()
LONGEST_CLASS = 40  # lines

SERVE_ONE = """
from digit_classifier.web import create_app
client = create_app().test_client()
with open("digit_classifier/samples/4-7.png", "rb") as file:
    print(client.post("/upload?model=knn", data={"file": file}).json)
"""


def block(language):
    (text,) = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return text


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A folder with a copy of the package, to which the page's code was added."""
    folder = tmp_path_factory.mktemp("extended")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "digit_classifier", folder / "digit_classifier", ignore=ignored)
    (folder / "digit_classifier" / "nearest_neighbours.py").write_text(block("python"))
    registry = folder / "digit_classifier" / "models" / "__init__.py"
    before = "".join(line[1:] for line in block("diff").splitlines(True) if line[0] == " ")
    after = "".join(line[1:] for line in block("diff").splitlines(True))
    text = registry.read_text()
    assert before in text
    registry.write_text(text.replace(before, after))
    return folder


@pytest.fixture
def variables(extended):
    return environment(
        DIGIT_CLASSIFIER_DATA_DIR=str(DATA_DIR),
        DIGIT_CLASSIFIER_SECRET_KEY="long and random enough for a test",
        PYTHONPATH=str(extended),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    )


def test_class_is_short_and_the_registry_grows_by_one_import_and_one_line():
    assert len(block("python").splitlines()) < LONGEST_CLASS
    added = [line for line in block("diff").splitlines() if line.startswith("+")]
    assert [line.startswith("+from ") for line in added] == [True, False]


def test_page_s_classifier_is_trained_used_and_served(mnist, extended, variables):
    (examples,) = blocks_of(PAGE)
    for example, output in run(examples, extended, variables, "127.0.0.1:9"):
        assert mismatch(example.printed, output) is None, example.command
    served = subprocess.run(
        [sys.executable, "-c", SERVE_ONE],
        cwd=extended,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "'classifier': 'NearestNeighboursClassifier', 'label': 7" in served


@pytest.mark.parametrize("change", ["parameters.pop('y')", "parameters.update(y=parameters['X'])"])
def test_page_s_classifier_trusts_no_file(extended, variables, change):
    code = f"""
import numpy as np
from digit_classifier.models import CLASSIFIERS
knn = CLASSIFIERS["knn"].fit(np.eye(9, dtype=np.float32), np.arange(9), np.random.default_rng(0))
parameters = knn.named_parameters()
{change}
try:
    CLASSIFIERS["knn"].from_parameters([], parameters)
except (KeyError, TypeError, ValueError) as exc:
    print("refused", exc)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=extended,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("refused"), done.stderr
