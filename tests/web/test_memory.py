"""What a process takes, in processes of their own: the C library's settings are for good."""

import subprocess
import sys

import pytest

RESIDENT = """
import re
from pathlib import Path
from digit_classifier.web.workers import free_memory, limit_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
"""

SERVED = """
import sys
from digit_classifier.settings import Settings
from digit_classifier.web import create_app
from digit_classifier.web.workers import warm_up

warm_up(create_app(Settings(environment="testing")))
print([name for name in ("asyncio", "numpy.random", "PIL.ImageDraw") if name in sys.modules])
"""

LARGE = (
    RESIDENT
    + """
{setting}
before = resident()
for size in (24, 20):  # after the first, the C library takes blocks of that size for usual
    block = bytearray(size * 1024 * 1024)
    after = bytearray(1000)  # so that the block does not lie at the heap's end
    del block
print(resident() - before)
"""
)

HOLES = (
    RESIDENT
    + """
limit_memory()
before = resident()
blocks = [bytearray(100_000) for _ in range(200)]
del blocks[:-1]  # the last one keeps the heap from shrinking
{setting}
print(resident() - before)
"""
)


def kept(code, setting):
    """Megabytes that a process still has after it has freed what it took."""
    command = [sys.executable, "-c", code.format(setting=setting)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_large_blocks_are_given_back():
    assert kept(LARGE, "limit_memory()") < 5
    assert kept(LARGE, "") > 15  # else this test could not fail


@pytest.mark.skipif(sys.platform != "linux", reason="the heap is glibc's")
def test_holes_in_the_heap_are_given_back():
    assert kept(HOLES, "free_memory()") < 5
    assert kept(HOLES, "") > 15


def test_serving_loads_nothing_that_it_has_no_use_for():
    """Each of these would take a process a megabyte or more, and time to start."""
    done = subprocess.run(
        [sys.executable, "-c", SERVED], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
