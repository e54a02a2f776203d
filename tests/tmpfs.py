"""Small file systems of memory, which are soon full; root alone can mount them."""

import os
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_tmpfs(folder, size, mode="0777"):
    """Mount a tmpfs on a folder that is made; its size may be followed by other options.

    Skips the test where that is not possible.
    """
    if os.geteuid() != 0:
        pytest.skip("Only root can mount a file system.")
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode={mode}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"No file system can be mounted here: {mounted.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
