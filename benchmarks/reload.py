"""What a change costs the clients of this machine's Apache: reloads, and processes that are killed.

``python -m benchmarks.reload``, as root where build_all_EC2.sh has deployed, prints a table. Eight
clients that keep their connections ask for a digit all the while.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import click

from digit_classifier.evaluation import markdown_table
from tests.deployment import machine as m
from tests.deployment.clone import PROJECT, Clone

REPETITIONS = 3


def reload_one_by_one() -> None:
    """Replace every process, each when the one before it is ready."""
    Clone(PROJECT).run("reload.sh").check_returncode()


def reload_all_at_once() -> None:
    """Let Apache read its configuration again, as a rotation of the logs does, too."""
    old = set(m.workers())
    subprocess.run(["/usr/sbin/apache2ctl", "graceful"], check=True)
    m.wait_until(lambda: len(set(m.ready_workers()) - old) == len(old))


def kill_one() -> None:
    """End one process at once, and wait until there are as many as before."""
    n, killed = len(m.workers()), m.workers()[0]
    os.kill(killed, signal.SIGKILL)
    m.wait_until(lambda: killed not in m.workers() and len(m.ready_workers()) == n)


def measure(name: str, change: Callable[[], None]) -> list[str]:
    """Make the change some times under load, and return a row of what it cost."""
    seconds = []
    with m.Load() as load:
        for _ in range(REPETITIONS):
            time.sleep(1)
            started = time.monotonic()
            change()
            seconds.append(time.monotonic() - started)
        time.sleep(1)
    return [
        f"{name}, {REPETITIONS} times",
        f"{load.n_requests:,}",
        f"{len(load.failures)}",
        f"{1000 * load.longest:.0f} ms",
        f"{max(seconds):.1f} s",
    ]


def main() -> None:
    """Print the table."""
    rows = [
        measure("`reload.sh`", reload_one_by_one),
        measure("`apachectl graceful`", reload_all_at_once),
        measure("`kill -9` of one process", kill_one),
    ]
    header = ["", "requests", "failed", "longest answer", "until all processes are ready"]
    click.echo(markdown_table(header, rows))


if __name__ == "__main__":
    main()
