"""Checks of the process's environment, for ``doctor`` and ``/readyz``.

A server with the interpreter of one Python build and the standard library or packages of another
still answers most requests, so that the fault may stay unnoticed.
"""

import os
import sys
from pathlib import Path

import numpy as np
import threadpoolctl

import digit_classifier
from digit_classifier.errors import UnsoundError

OLDEST_PYTHON = (3, 11)


def check_interpreter() -> str:
    """Check that interpreter, standard library and virtual environment belong together.

    Returns
    -------
    str
        Version and prefix of the interpreter.

    Raises
    ------
    UnsoundError
    """
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        raise UnsoundError(f"{found} is older than {'.'.join(map(str, OLDEST_PYTHON))}.")
    _check_inside(Path(os.__file__), Path(sys.base_prefix), "the standard library")
    if sys.prefix != sys.base_prefix:
        prefix = Path(sys.prefix)
        try:
            lines = (prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
        except OSError as exc:
            raise UnsoundError(f"{prefix} is not a virtual environment: {exc.strerror}.") from exc
        entries = dict(line.split(" = ", 1) for line in lines if " = " in line)
        made_for = entries.get("version") or entries.get("version_info", "unknown")
        if (
            made_for.split(".")[:2] != found.split(".")[:2]
        ):  # a security update changes the third number
            raise UnsoundError(
                f"the environment {sys.prefix} was made for Python {made_for}, this is {found}."
            )
        _check_inside(Path(np.__file__), Path(sys.prefix), "NumPy")
    return f"{found} at {sys.prefix}"


def check_blas() -> str:
    """Check that linear algebra in this process uses one thread.

    Raises
    ------
    UnsoundError
    """
    libraries = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    if many := [pool for pool in libraries if pool["num_threads"] != 1]:
        counts = ", ".join(f"{pool['internal_api']} {pool['num_threads']}" for pool in many)
        raise UnsoundError(
            f"the linear algebra has more than one thread ({counts}): many requests would wait for "
            "one another. Set OPENBLAS_NUM_THREADS=1 before NumPy is imported."
        )
    return "one thread"


def check_read_only(model_file: Path) -> str:
    """Check that this process cannot write its code or its model.

    Parameters
    ----------
    model_file : Path

    Raises
    ------
    UnsoundError
    """
    package = Path(digit_classifier.__file__).parent
    code = (Path(sys.prefix), package.parent, package, Path(__file__))
    # in a writable directory, a file can be replaced
    for path in (*code, *model_file.parents[:2], model_file):
        if os.access(path, os.W_OK):
            raise UnsoundError(
                f"this process can write {path}; an attacker who controls it could, too."
            )
    return "neither code nor model can be written"


def _check_inside(path: Path, folder: Path, what: str) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnsoundError(f"{what} {path.parent} is not that of {folder}.")
