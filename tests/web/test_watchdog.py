import subprocess
import sys
import time

import pytest

BEGIN = """
import ctypes, time
from digit_classifier.web import watchdog
watchdog.WORK, watchdog.SILENCE = 1, 2
guard = watchdog.Watchdog(200_000_000)
guard.start()
"""


def run(code: str) -> tuple[subprocess.CompletedProcess[str], float]:
    started = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return finished, time.monotonic() - started


@pytest.mark.parametrize(
    "code",
    [
        "with guard.watching():\n    time.sleep(20)",
        "with guard.watching():\n    while True: pass",
        "ctypes.PyDLL(None).sleep(20)",  # with the interpreter's lock held
    ],
    ids=["sleeps", "works", "holds the lock"],
)
def test_process_that_hangs_is_ended_and_says_where(code):
    finished, seconds = run(code)
    assert finished.returncode == 1
    assert 'File "<string>"' in finished.stderr
    assert seconds < 10


def test_process_that_works_in_short_pieces_goes_on():
    finished, _ = run("for _ in range(5):\n    with guard.watching(): time.sleep(0.5)")
    assert finished.returncode == 0
    assert finished.stderr == ""


def test_process_that_waits_goes_on():
    finished, _ = run("time.sleep(3)")
    assert finished.returncode == 0


def test_memory_beyond_the_limit_is_an_error_that_can_be_caught():
    finished, _ = run(
        "time.sleep(1.5)\n"
        "kept = bytearray(100_000_000)\n"
        "try: bytearray(200_000_000)\n"
        "except MemoryError: print('refused')"
    )
    assert finished.stdout == "refused\n"
