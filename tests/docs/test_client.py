"""docs/client.md: its examples, run as they stand against a real server."""

import doctest
from pathlib import Path

from tests.web.serving import make_app, serving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "client.md"


def test_examples_print_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with serving(make_app(tmp_path)) as address:
        text = PAGE.read_text("utf-8").replace("http://127.0.0.1:5000", address)
        # a fence is no output: doctest ends an output at an empty line
        examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        results = runner.run(examples)
    assert results.attempted >= 10
    assert results.failed == 0
