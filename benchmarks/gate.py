"""Whether requests cost more instructions than they did: ``python -m benchmarks.gate``.

Callgrind (``apt-get install valgrind``) counts them, so that it holds on busy machines.
``--record`` writes the baseline.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.gate_requests import REFERENCE
from digit_classifier.training.tables import markdown_table

BASELINE = Path(__file__).with_name("gate_baseline.json")
TOLERANCE = 0.05
N_REQUESTS = 3
PACKAGES = ("NumPy", "Pillow", "Flask", "Werkzeug")
#: All that the counted process gets to see, whatever this one's environment is.
VARIABLES = {
    "OPENBLAS_CORETYPE": "Haswell",  # Valgrind knows no AVX-512
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # the order of sets is the same each time
}


def count() -> dict[str, int]:
    """Return the instructions of one request, by case."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise click.ClickException("There is no valgrind: apt-get install valgrind.")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [valgrind, "--quiet", "--tool=callgrind", "--dump-before=getppid"]
        command += [f"--callgrind-out-file={out}", sys.executable, "-m", "benchmarks.gate_requests"]
        told = subprocess.run(  # noqa: S603, our own command
            [*command, "--requests", str(N_REQUESTS)],
            env={"PATH": os.environ["PATH"]} | VARIABLES,
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        if told.returncode:
            raise click.ClickException("The requests could not be counted.")
        names = told.stdout.splitlines()
        files = sorted(Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        totals = [int(re.findall(r"totals: (\d+)", path.read_text())[0]) for path in files]
    # the last ones: each case's count follows that of what came before it
    counts = totals[-2 * len(names) + 1 :: 2]
    return {name: n // N_REQUESTS for name, n in zip(names, counts, strict=True)}
