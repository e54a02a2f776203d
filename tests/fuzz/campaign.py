"""A long run of hostile input: ``python -m tests.fuzz.campaign --images 1000000``.

The trials run in a process of their own, which may crash or hang: the input that did it is kept in
the output folder, in hexadecimal, and the run goes on behind it. The status is 1 if there was any.
"""

import os
import resource
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import click
import psutil
from tqdm import tqdm

from digit_classifier.evaluation import markdown_table
from tests.fuzz.tally import Tally
from tests.fuzz.targets import Numbers, Pictures, Requests

TARGETS = {"images": Pictures, "numbers": Numbers, "requests": Requests}
OUTPUT = Path(tempfile.gettempdir()) / "digit-classifier-fuzz"
SAVED_EVERY = 5000
PATIENCE = 60  # seconds, for one trial
_MB = 1e6


def main_loop(factory, seed, end, file, current):
    """Run trials until `end`, from where the tally stands; `current` is the one that runs."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # tracebacks of faults are in the tally
    tally, target = Tally.load(file), factory(seed)
    known = {number for number, _ in tally.faults}
    peak = _peak()
    started = time.perf_counter() - tally.seconds
    for number in range(tally.done, end):
        current.value = number
        if number not in known:
            _try(target, number, tally)
        if _peak() > peak + 1:
            tally.growth.append([number, _peak() - peak])
            peak = _peak()
        tally.done = number + 1
        if tally.done % SAVED_EVERY == 0 or tally.done == end:
            tally.seconds = time.perf_counter() - started
            tally.resident.append([tally.done, psutil.Process().memory_info().rss / _MB])
            tally.save(file)


def _try(target, number, tally):
    started = time.perf_counter()
    try:
        outcome = target.run(number)
    except Exception as exc:  # noqa: BLE001, to be reported with all others
        outcome = "FAULT"
        tally.faults.append((number, repr(exc)))
    tally.add(number, outcome, 1000 * (time.perf_counter() - started))


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MB


def run(factory, seed, end, file):
    """Run trials to their end, through crashes and hangs."""
    while Tally.load(file).done < end:
        current = get_context("spawn").Value("q", -1)
        arguments = factory, seed, end, file, current
        process = get_context("spawn").Process(target=main_loop, args=arguments)
        process.start()
        ending = _watch(process, current, end)
        if ending:
            tally = Tally.load(file)
            tally.faults.append((current.value, ending))
            tally.outcomes["FAULT"] += 1
            tally.save(file)
    return Tally.load(file)


def _watch(process, current, end):
    """Wait for the process, and return how it ended; nothing if well."""
    seen, since = -1, time.monotonic()
    with tqdm(total=end, mininterval=5) as bar:
        while process.is_alive():
            process.join(0.5)
            if current.value != seen:
                seen, since = current.value, time.monotonic()
                bar.update(seen + 1 - bar.n)
            elif seen >= 0 and time.monotonic() - since > PATIENCE:  # a start is no trial
                process.kill()
                process.join()
                return f"took more than {PATIENCE} s"
    return f"ended with {process.exitcode}" if process.exitcode else ""


def report(name, tally):
    """Print the tables of one target."""
    click.echo(f"\n{tally.done:,} {name} in {tally.seconds:,.0f} s\n")
    counts = [[outcome, f"{n:,}"] for outcome, n in tally.outcomes.most_common()]
    click.echo(markdown_table(["outcome", name], counts))
    slowest = sorted(tally.slowest, reverse=True)
    click.echo("\nslowest: " + ", ".join(f"{ms:.0f} ms (number {n})" for ms, n in slowest))
    largest = sorted(tally.growth, key=lambda item: -item[1])[:5]
    click.echo("raised the peak: " + ", ".join(f"{mb:.0f} MB (number {n})" for n, mb in largest))
    step = max(1, len(tally.resident) // 10)
    shown = tally.resident[::step]
    click.echo("resident: " + ", ".join(f"{mb:.0f} MB at {n:,}" for n, mb in shown))


def keep_faults(target, name, tally, output):
    """Keep the inputs that went wrong."""
    for number, text in tally.faults:
        file = output / f"{name}-{number}.hex"
        file.write_text(target.input(number).hex())
        click.echo(f"FAULT {name} {number}: {text}\n  input: {file}")


@click.command()
@click.option("--images", default=100_000, show_default=True, help="How many damaged files.")
@click.option("--numbers", default=20_000, show_default=True, help="How many read for all digits.")
@click.option("--requests", default=10_000, show_default=True, help="How many requests.")
@click.option("--seed", default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on where the output folder says.")
@click.option("--output", type=click.Path(path_type=Path), default=OUTPUT, show_default=True)
def main(*, images, numbers, requests, seed, resume, output):
    """Try damaged files and hostile requests, and report what became of them."""
    output.mkdir(parents=True, exist_ok=True)
    n_faults = 0
    for name, end in (("images", images), ("numbers", numbers), ("requests", requests)):
        if not end:
            continue
        file = output / f"{name}-{seed}.json"
        if not resume:
            file.unlink(missing_ok=True)
        tally = run(TARGETS[name], seed, end, file)
        report(name, tally)
        keep_faults(TARGETS[name](seed), name, tally, output)
        n_faults += len(tally.faults)
    raise SystemExit(1 if n_faults else 0)


if __name__ == "__main__":
    main()
