"""The number of threads for linear algebra."""

import os

#: Read by OpenBLAS, MKL and OpenMP when NumPy is imported.
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def use_one_thread() -> None:
    """Set one BLAS thread, unless the environment already sets a number.

    Call it before NumPy is imported. A server handles concurrent requests on one core each. If each
    small matrix product used all cores, requests would wait for each other.
    """
    for variable in VARIABLES:
        os.environ.setdefault(variable, "1")
