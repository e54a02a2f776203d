"""OpenCV works on arrays: no file and no stream comes near its decoders."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "digit_classifier"
#: Where OpenCV is used.
ROOMS = [PACKAGE / room for room in ("preprocessing", "preprocessing/steps", "numbers", "scenes")]
#: What reads or writes files, and what runs in threads or on other devices of its own.
FORBIDDEN = re.compile(r"imdecode|imread|imencode|imwrite|VideoCapture|FileStorage|cv2\.dnn|UMat")


def test_no_decoder_of_opencv_is_used():
    users = [path for path in PACKAGE.rglob("*.py") if "cv2" in path.read_text(encoding="utf-8")]

    assert users
    for path in users:
        assert not FORBIDDEN.search(path.read_text(encoding="utf-8")), path
        assert path.parent in ROOMS, path


@pytest.mark.parametrize(
    "line", ["image = cv2.imdecode(buffer, 0)", "cv2.imread(name)", "cv2.VideoCapture(0)"]
)
def test_the_decoders_would_be_found(line):
    assert FORBIDDEN.search(line)


def test_opencv_has_one_thread():
    # in a process of its own: the tests' other libraries set OpenCV's threads, too
    code = "import digit_classifier.preprocessing, cv2; print(cv2.getNumThreads())"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "1"
