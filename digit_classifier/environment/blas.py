"""How many threads the linear algebra may use."""

import os

#: Read once by OpenBLAS, MKL and OpenMP builds of NumPy, when NumPy is imported.
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def use_one_thread() -> None:
    """Ask for one BLAS thread, unless the environment says otherwise.

    Call it before NumPy is imported. A server answers many requests at once, a core each; letting
    every small matrix product spread over all cores makes them wait for one another.
    """
    for variable in VARIABLES:
        os.environ.setdefault(variable, "1")
