"""Whether requests cost more instructions than they did: ``python -m benchmarks.gate``.

Callgrind (``apt-get install valgrind``) counts them, so that it holds on busy machines.
``--record`` writes the baseline. It ends with 1 if a case costs over 5 % more.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from digit_classifier.training.tables import markdown_table

BASELINE = Path(__file__).with_name("gate_baseline.json")
TOLERANCE = 1.05
N_REQUESTS = 3
#: Valgrind knows no AVX-512; the order of sets and dictionaries is the same each time.
VARIABLES = {"OPENBLAS_CORETYPE": "Haswell", "PYTHONHASHSEED": "0"}


def count() -> dict[str, int]:
    """Return the instructions of one request, by case."""
    if not shutil.which("valgrind"):
        raise click.ClickException("There is no valgrind: apt-get install valgrind.")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--dump-before=getppid"]
        command += [f"--callgrind-out-file={out}", sys.executable, "-m", "benchmarks.gate_requests"]
        told = subprocess.run(  # noqa: S603, our own command
            [*command, "--requests", str(N_REQUESTS)],
            env=os.environ | VARIABLES,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        cases = [line.split("\t")[0] for line in told.stdout.splitlines()]
        files = sorted(Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        totals = [int(re.findall(r"totals: (\d+)", path.read_text())[0]) for path in files]
    # the last ones: each case's count follows that of what came before it
    counts = totals[-2 * len(cases) + 1 :: 2]
    return {case: n // N_REQUESTS for case, n in zip(cases, counts, strict=True)}


def costlier(baseline: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Return the cases that cost more than is tolerated."""
    return [case for case, n in now.items() if n > TOLERANCE * baseline[case]]


@click.command()
@click.option("--record", is_flag=True, help="Write the baseline.")
def main(*, record: bool) -> None:
    """Print the table."""
    now = count()
    if record:
        BASELINE.write_text(json.dumps(now, indent=1) + "\n")
    baseline = json.loads(BASELINE.read_text())
    rows = [[c, f"{baseline[c]:,}", f"{n:,}", f"{n / baseline[c]:.3f}"] for c, n in now.items()]
    click.echo(markdown_table(["instructions a request", "baseline", "now", "ratio"], rows))
    if found := costlier(baseline, now):
        raise click.ClickException(f"These cost more: {', '.join(found)}.")


if __name__ == "__main__":
    main()
