"""What the package offers by itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import digit_classifier
from tests.web.pictures import drawn, drawn_number


def test_classifier_of_the_package_reads_a_digit_and_a_number():
    classifier = digit_classifier.DigitClassifier.load("softmax")
    assert classifier.predict(drawn(7)).digit == 7
    assert classifier.read(drawn_number("47")).text == "47"


def test_package_is_imported_without_numpy():
    code = "import sys, digit_classifier; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_names_are_no_attributes():
    with pytest.raises(AttributeError, match="Classifierr"):
        digit_classifier.DigitClassifierr  # noqa: B018


def test_example_of_the_readme_prints_what_it_says():
    root = Path(__file__).parents[1]
    (code,) = re.findall(r"```python\n(.+?)```", (root / "README.md").read_text("utf-8"), re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "2024\n11\n"
