"""docs/estimators.md: its examples, run as they stand."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "estimators.md"


def test_examples_print_what_the_page_shows():
    text = PAGE.read_text("utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples)
    assert results.attempted >= 10
    assert results.failed == 0
