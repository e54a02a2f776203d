"""Is this process put together as it should be: what ``doctor`` and ``/readyz`` both check.

A server can run on an interpreter of one Python build with the standard library of another, or with
the packages of a third, and answer most requests all the same.
"""

import os
import sys
from collections.abc import Iterator
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
        What was found.

    Raises
    ------
    UnsoundError
    """
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        raise UnsoundError(f"{found} is older than {'.'.join(map(str, OLDEST_PYTHON))}.")
    _check_inside(Path(os.__file__), Path(sys.base_prefix), "the standard library")
    if sys.prefix != sys.base_prefix:
        made_for = _version_of_environment(Path(sys.prefix))
        if made_for.split(".")[:2] != found.split(".")[:2]:  # a security update changes the third
            raise UnsoundError(
                f"the environment {sys.prefix} was made for Python {made_for}, this is {found}."
            )
        _check_inside(Path(np.__file__), Path(sys.prefix), "NumPy")
    return f"{found} at {sys.prefix}"


def check_blas() -> str:
    """Check that the linear algebra of this process has one thread.

    Raises
    ------
    UnsoundError
    """
    libraries = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    if many := [pool for pool in libraries if pool["num_threads"] != 1]:
        told = ", ".join(f"{pool['internal_api']} {pool['num_threads']}" for pool in many)
        raise UnsoundError(
            f"the linear algebra has more than one thread ({told}): many requests would wait for "
            "one another. Set OPENBLAS_NUM_THREADS=1 before NumPy is imported."
        )
    return "one thread"


def check_read_only(model_file: Path) -> str:
    """Check that this process can write neither its code nor its model.

    Parameters
    ----------
    model_file : Path

    Raises
    ------
    UnsoundError
    """
    for path in (*_code(), *model_file.parents[:2], model_file):
        if os.access(path, os.W_OK):
            raise UnsoundError(f"this process can write {path}, and so can whoever takes it over.")
    return "neither code nor model can be written"


def _code() -> Iterator[Path]:
    """Folders and files that decide what is run."""
    package = Path(digit_classifier.__file__).parent
    yield from (Path(sys.prefix), package.parent, package, Path(__file__))


def _check_inside(path: Path, folder: Path, what: str) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnsoundError(f"{what} {path.parent} is not that of {folder}.")


def _version_of_environment(prefix: Path) -> str:
    """Return the version that a virtual environment's own file says it was made for."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError as exc:
        raise UnsoundError(f"{prefix} is no virtual environment: {exc.strerror}.") from exc
    entries = dict(line.split(" = ", 1) for line in lines if " = " in line)
    return entries.get("version") or entries.get("version_info", "unknown")
