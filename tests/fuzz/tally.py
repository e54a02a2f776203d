"""What became of the trials so far: kept in a file, so that a campaign can go on from there."""

import heapq
import json
from collections import Counter
from dataclasses import dataclass, field

_N_SLOWEST = 8


@dataclass
class Tally:
    """Of trials 0 to `done` − 1.

    Attributes
    ----------
    outcomes : Counter
        How many trials ended in what way.
    slowest : list of [milliseconds, number]
        The shortest of them first, as heaps are.
    growth : list of [number, MB]
        The trials that raised the process's peak of memory, and by how much.
    resident : list of [number, MB]
        The process's memory over time.
    faults : list of [number, text]
    """

    done: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: list[list[float]] = field(default_factory=list)
    growth: list[list[float]] = field(default_factory=list)
    resident: list[list[float]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number, outcome, milliseconds):
        """Note what became of a trial."""
        self.done = number + 1
        self.outcomes[outcome] += 1
        keep = heapq.heappush if len(self.slowest) < _N_SLOWEST else heapq.heappushpop
        keep(self.slowest, [milliseconds, number])

    def save(self, file):
        """Write it whole, or not at all."""
        part = file.with_suffix(".part")
        part.write_text(json.dumps(vars(self)))
        part.rename(file)

    @classmethod
    def load(cls, file):
        """Read it, or begin."""
        if not file.exists():
            return cls()
        fields = json.loads(file.read_text())
        return cls(**fields | {"outcomes": Counter(fields["outcomes"])})
