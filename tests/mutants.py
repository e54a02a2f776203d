"""``python -m tests.mutants [N]``: change the code in N places a package, and see if a test fails.

mutmut makes the mutants and runs the tests that reach each; which ones it is given is drawn from
a seed, since all of them take hours. ``make mutation-test`` installs it for the run. The report
has the score of each package with its 95 % interval, and every mutant that survived;
``mutmut show NAME`` shows what it changes.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from scipy.stats import binomtest

from digit_classifier.errors import DigitClassifierError

#: The packages that mutants are made of, by what the names of their mutants begin with.
PACKAGES = {
    "metrics": "digit_classifier.evaluation.metrics.",
    "bulk": "digit_classifier.bulk.",
    "neural_network": "digit_classifier.neural_network.",
    "preprocessing": "digit_classifier.preprocessing.",
}
MADE = Path("mutants")
SEED = 0
#: mutmut's exit codes of a test run that failed, did not end, or crashed; 0 is a survivor's.
SURVIVED, UNREACHED = 0, (5, 33)


def outcomes():
    """Return the exit code of each mutant by its name; None where it was not tried."""
    found = {}
    for file in sorted(MADE.rglob("*.py.meta")):
        found |= json.loads(file.read_text())["exit_code_by_key"]
    return found


def run_mutmut(*names):
    """Try mutants; mutmut makes them first where they are missing.

    Raises
    ------
    DigitClassifierError
        The tests fail without any mutant.
    """
    finished = subprocess.run([sys.executable, "-m", "mutmut", "run", *names], check=False)
    if not outcomes() or finished.returncode:
        raise DigitClassifierError("mutmut cannot run the tests; see above.")


def sample(names, n):
    """Draw mutants, the same each time as long as the code is the same."""
    return sorted(random.Random(SEED).sample(sorted(names), min(n, len(names))))


def report(package, n_made, codes):
    """Say how many mutants the tests noticed, and name the others."""
    counts = Counter(codes.values())
    n_survivors = counts[SURVIVED] + sum(counts[code] for code in UNREACHED)
    killed = binomtest(len(codes) - n_survivors, len(codes))
    low, high = killed.proportion_ci(method="wilson")
    survivors = [
        f"    {name}{'' if code == SURVIVED else ' (no test reaches it)'}"
        for name, code in codes.items()
        if code in (SURVIVED, *UNREACHED)
    ]
    head = (
        f"{package}: {killed.k} of {killed.n} mutants noticed, {killed.statistic:.0%} "
        f"({low:.0%} to {high:.0%}); {n_made} were made."
    )
    return "\n".join([head, *survivors])


def main(n):
    """Try `n` mutants of each package."""
    run_mutmut(f"{PACKAGES['calibration']}*")  # the smallest; it makes the mutants of all
    made = {
        package: [name for name in outcomes() if name.startswith(prefix)]
        for package, prefix in PACKAGES.items()
    }
    chosen = {package: sample(names, n) for package, names in made.items()}
    run_mutmut(*(name for names in chosen.values() for name in names))
    codes = outcomes()
    for package, names in chosen.items():
        tried = {name: codes[name] for name in names}
        print(report(package, len(made[package]), tried))  # noqa: T201, what it is for


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
