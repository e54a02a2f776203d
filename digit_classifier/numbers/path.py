"""The best path through a row: which hypotheses are its digits, and how certain that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from digit_classifier.numbers.hypotheses import Hypothesis


@dataclass(frozen=True)
class Path:
    """Hypotheses that follow each other through a row.

    Attributes
    ----------
    chosen : list of int
        Indices of the hypotheses, from left to right.
    certainties : list of float
        Share that the paths with each of them have in all paths, by probability.
    score : float
        Log-probability of the path, not normalized.
    log_certainty : float
        Logarithm of the path's share in all paths.
    """

    chosen: list[int]
    certainties: list[float]
    score: float
    log_certainty: float


def find_path(
    hypotheses: Sequence[Hypothesis], scores: Sequence[float], skip_scores: Sequence[float]
) -> Path:
    """Return the most probable path (Viterbi), and its share by the forward-backward algorithm.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
    scores : sequence of float
        Log-probability of each hypothesis' best digit.
    skip_scores : sequence of float
        Log-probability that each segment of the row is part of no digit.
    """
    n_segments = len(skip_scores)
    weights = [
        score + hypothesis.geometry for score, hypothesis in zip(scores, hypotheses, strict=True)
    ]
    # the row as a graph: its nodes are the bounds of segments, a hypothesis joins two of them
    by_last: list[list[int]] = [[] for _ in range(n_segments + 1)]
    by_first: list[list[int]] = [[] for _ in range(n_segments + 1)]
    for index, hypothesis in enumerate(hypotheses):
        by_last[hypothesis.last].append(index)
        by_first[hypothesis.first].append(index)
    best, forward, backward = ([0.0] * (n_segments + 1) for _ in range(3))
    chosen: list[int | None] = [None] * (n_segments + 1)
    # Viterbi's maxima and the forward sums: both need what ends at each earlier bound
    for last in range(1, n_segments + 1):
        skipped = skip_scores[last - 1]
        best[last] = best[last - 1] + skipped
        for index in by_last[last]:
            score = best[hypotheses[index].first] + weights[index]
            if score > best[last]:
                best[last], chosen[last] = score, index
        forward[last] = _log_sum(
            [forward[last - 1] + skipped]
            + [forward[hypotheses[index].first] + weights[index] for index in by_last[last]]
        )
    # the backward sums: all that may follow a bound
    for first in range(n_segments - 1, -1, -1):
        backward[first] = _log_sum(
            [backward[first + 1] + skip_scores[first]]
            + [backward[hypotheses[index].last] + weights[index] for index in by_first[first]]
        )
    # from the end, since each bound knows which hypothesis the best path to it ends with
    total, path, last = forward[n_segments], [], n_segments
    while last > 0:
        ending = chosen[last]
        if ending is None:
            last -= 1
        else:
            path.append(ending)
            last = hypotheses[ending].first
    path.reverse()
    # all paths through a hypothesis: those to its first bound times those from its last one
    certainties = [
        exp(
            min(
                forward[hypotheses[index].first]
                + weights[index]
                + backward[hypotheses[index].last]
                - total,
                0.0,
            )
        )
        for index in path
    ]
    # rounding may put a share above 1
    return Path(path, certainties, best[n_segments], min(best[n_segments] - total, 0.0))


def _log_sum(logarithms: Sequence[float]) -> float:
    # relative to the greatest: exp of a long row's score alone would be 0
    greatest = max(logarithms)
    return greatest + log(sum(exp(value - greatest) for value in logarithms))
