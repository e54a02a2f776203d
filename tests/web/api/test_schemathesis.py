"""Requests made from the OpenAPI document, right and wrong ones, against a real server.

Whatever comes, the answer must be one that the document promises.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path

from tests.web.serving import make_app, serving

#: Requests an operation and phase; ``make schemathesis`` takes more, and other ones each time.
N_EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES")
IN_THE_GATE = (
    "--phases=examples,coverage,fuzzing",
    "--max-examples=10",
    "--generation-deterministic",
)


def test_every_answer_is_as_the_document_says(tmp_path, caplog):
    caplog.set_level(logging.ERROR, "werkzeug")  # a line a request hides what is wrong
    with serving(make_app(tmp_path / "no models")) as address:
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{address}/api/v1/openapi.json",
                # no schema can say which bytes are an image, nor which lists make a tensor
                "--exclude-checks=positive_data_acceptance",
                *(("--max-examples", N_EXAMPLES) if N_EXAMPLES else IN_THE_GATE),
            ],
            cwd=tmp_path,  # where it leaves what it learned
            stdout=None if N_EXAMPLES else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout
