"""How far a run is: a bar on a terminal, a line a minute elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

LINE_EVERY_S = 60


class Progress:
    """Shows on standard error how many images are done.

    Parameters
    ----------
    total : int
    line_every_s : float, default=60
        Seconds between two lines, where standard error is not a terminal.
    """

    def __init__(self, total: int, line_every_s: float = LINE_EVERY_S) -> None:
        self._bar = tqdm(total=total, unit=" images", unit_scale=True, disable=None)
        self._total, self._line_every_s = total, line_every_s
        self._done, self._started = 0, time.monotonic()
        self._next_line = self._started + line_every_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def update(self, n_images: int) -> None:
        """Count further images."""
        self._done += n_images
        self._bar.update(n_images)
        now = time.monotonic()
        if self._bar.disable and now >= self._next_line:
            rate = self._done / (now - self._started)
            print(  # noqa: T201, as tqdm does
                f"{self._done:,} of {self._total:,} images, {rate:,.0f} a second",
                file=sys.stderr,
                flush=True,
            )
            self._next_line = now + self._line_every_s
