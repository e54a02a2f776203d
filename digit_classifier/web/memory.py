"""What a process of the server takes of the machine's memory, and that it gives it back.

By its own choice the C library has a heap for each of many threads and, once a large picture has
been read, keeps its memory for the next; in a process of a thousand threads, in heap after heap.
"""

import ctypes
import re
import resource
from contextlib import suppress
from pathlib import Path

#: The numbers of mallopt's settings in glibc's malloc.h.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
#: Heaps that the threads share: no more of them work at once.
_N_ARENAS = 2
#: Bytes from which on memory is the system's again as soon as it is free.
_LARGE = 1024 * 1024


def give_back() -> None:
    """Let few heaps be kept, and nothing large; where the C library has such settings."""
    with suppress(AttributeError):  # another C library than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, _N_ARENAS)
        mallopt(_MMAP_THRESHOLD, _LARGE)


def trim() -> None:
    """Give back the pages that lie free between others: the C library keeps them for ever."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def limit(n_bytes: int) -> None:
    """Let this process take that much more than it has: private memory, whether used or not."""
    with suppress(OSError):  # there is no such limit outside Linux
        status = Path("/proc/self/status").read_text("ascii")
        (taken,) = re.findall(r"VmData:\s+(\d+) kB", status)
        most = int(taken) * 1024 + n_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
