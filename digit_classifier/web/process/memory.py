"""Freed memory of a process of the server, given back to the machine.

By its own choice the C library keeps a heap for each thread and, once a large picture has been
read, its memory for the next one.
"""

import ctypes
from contextlib import suppress

#: The numbers of mallopt's settings in glibc's malloc.h.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
#: Heaps that the threads share.
_N_ARENAS = 2
#: Bytes from which on a block is the system's again as soon as it is free.
_LARGE = 1024 * 1024


def give_back() -> None:
    """Limit glibc to two heaps, and give back each block of a MiB; no effect elsewhere."""
    with suppress(AttributeError):  # another C library than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, _N_ARENAS)
        mallopt(_MMAP_THRESHOLD, _LARGE)
