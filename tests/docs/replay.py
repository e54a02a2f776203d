"""Commands of a document, run as they stand, and their answers compared with those it shows.

A block ``console`` holds commands after ``$`` and what they print. They are run one after the other
in one shell. ``…`` stands for anything; a number with decimals is compared up to a tolerance, since
other processors round otherwise.
"""

import re
import subprocess
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?:e-?\d+)?")
TOLERANCE = 0.01


@dataclass(frozen=True)
class Example:
    """A command, and what the document says it prints."""

    command: str
    printed: str


def blocks_of(page):
    """Return the examples of a document's blocks."""
    return [list(_examples(block)) for block in _BLOCK.findall(page.read_text("utf-8"))]


def _examples(block):
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield Example(command, printed)


def run(examples, cwd, environment, address):
    """Run a block's commands in one shell, and yield each with what it printed."""
    mark = "@@ end of a command @@"
    script = "".join(f"{example.command}\necho; echo '{mark}'\n" for example in examples)
    script = re.sub(r"(127\.0\.0\.1|localhost):5000", address, script)
    finished = subprocess.run(
        ["bash"],
        input=script,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    outputs = finished.stdout.split(f"{mark}\n")
    assert len(outputs) == len(examples) + 1, finished.stdout
    return zip(examples, outputs[:-1], strict=True)


def mismatch(printed, output):
    """Return how the output differs from what the document shows, or None."""
    shown, found = _tidy(printed), _tidy(output)
    matched = re.fullmatch(".*?".join(map(_pattern, shown.split("…"))), found, re.DOTALL)
    if matched is None:
        return f"shown:\n{shown}\nfound:\n{found}"
    numbers = [float(number) for number in _DECIMAL.findall(shown)]
    for number, other in zip(numbers, matched.groups(), strict=True):
        if abs(number - float(other)) > TOLERANCE:
            return f"shown: {number}, found: {other}, in\n{found}"
    return None


def _pattern(part):
    """Match a part of what is shown, its decimals being any numbers."""
    return r"(\d+(?:\.\d+)?(?:e-?\d+)?)".join(map(re.escape, _DECIMAL.split(part)))


def _tidy(text):
    """Drop what a terminal would not show, and the space at the ends of lines."""
    text = text.replace("\r", "")
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join(line for line in lines if line)
