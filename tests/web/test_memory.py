"""What a process takes, in processes of their own: the C library's settings are for good."""

import subprocess
import sys

import pytest

KEPT = """
import re
from pathlib import Path
from digit_classifier.web import memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

{setting}
before = resident()
for size in (24, 20):  # the first tells the C library that blocks of that size are usual
    block = bytearray(size * 1024 * 1024)
    after = bytearray(1000)  # so that the block does not lie at the heap's end
    del block
print(resident() - before)
"""


def kept(setting: str) -> float:
    """Megabytes that a process still has after it has freed two large blocks."""
    command = [sys.executable, "-c", KEPT.format(setting=setting)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_large_blocks_are_given_back() -> None:
    assert kept("memory.give_back()") < 5
    assert kept("") > 15  # else this test could not fail
