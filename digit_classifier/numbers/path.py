"""The most probable path through a row: which hypotheses are its digits, and how certainly.

The row is a graph: its nodes are the bounds between segments, its edges are the hypotheses, and the
segments that may be left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

from digit_classifier.numbers.hypotheses import Hypothesis


@dataclass(frozen=True)
class Path:
    """Hypotheses that follow each other through a row.

    Attributes
    ----------
    chosen : list of int
        Indices of the hypotheses, from left to right.
    certainties : list of float
        Posterior probability of each of them, by the forward-backward algorithm.
    score : float
        Log-probability of the path, not normalized.
    log_certainty : float
        Logarithm of the path's own posterior probability.
    """

    chosen: list[int]
    certainties: list[float]
    score: float
    log_certainty: float


class _Edge(NamedTuple):
    """A hypothesis, or a segment that is left out (None), from one bound to a later one."""

    first: int
    last: int
    weight: float  # a log-probability
    hypothesis: int | None = None


def find_path(
    hypotheses: Sequence[Hypothesis], scores: Sequence[float], skip_scores: Sequence[float]
) -> Path:
    """Return the most probable path (Viterbi), and its probability (forward-backward algorithm).

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
    scores : sequence of float
        Log-probability of each hypothesis' best digit.
    skip_scores : sequence of float
        Log-probability that each segment of the row is not part of a digit.
    """
    edges = [_Edge(bound, bound + 1, skipped) for bound, skipped in enumerate(skip_scores)]
    edges += [
        _Edge(hypothesis.first, hypothesis.last, score + hypothesis.geometry, index)
        for index, (hypothesis, score) in enumerate(zip(hypotheses, scores, strict=True))
    ]
    beginning: list[list[_Edge]] = [[] for _ in range(len(skip_scores) + 1)]
    ending: list[list[_Edge]] = [[] for _ in range(len(skip_scores) + 1)]
    for edge in edges:
        beginning[edge.first].append(edge)
        ending[edge.last].append(edge)
    path, score = _viterbi(ending)
    # log-probabilities of all paths to each bound, and of all from it to the end
    forward = [0.0]
    for at_bound in ending[1:]:
        forward.append(_log_sum([forward[edge.first] + edge.weight for edge in at_bound]))
    backward = [0.0] * len(beginning)
    for bound in range(len(skip_scores) - 1, -1, -1):
        weights = [backward[edge.last] + edge.weight for edge in beginning[bound]]
        backward[bound] = _log_sum(weights)
    total = forward[-1]
    chosen, certainties = [], []
    for edge in path:
        if edge.hypothesis is not None:
            # all paths through it: those to its first bound times those from its last one
            share = forward[edge.first] + edge.weight + backward[edge.last] - total
            chosen.append(edge.hypothesis)
            certainties.append(exp(min(share, 0.0)))  # rounding may put the share above 0
    return Path(chosen, certainties, score, min(score - total, 0.0))


def _viterbi(ending: Sequence[Sequence[_Edge]]) -> tuple[list[_Edge], float]:
    """Return the most probable path and its log-probability, from the edges to each bound."""
    best, last_edges = [0.0], list[_Edge]()
    for edges in ending[1:]:
        scores = [best[edge.first] + edge.weight for edge in edges]
        best.append(max(scores))
        last_edges.append(edges[scores.index(best[-1])])
    # from the end: each bound has the last edge of the best path to it
    path, bound = list[_Edge](), len(last_edges)
    while bound > 0:
        path.append(last_edges[bound - 1])
        bound = path[-1].first
    return path[::-1], best[-1]


def _log_sum(logarithms: Sequence[float]) -> float:
    # relative to the greatest: exp of a long row's score alone would be 0
    greatest = max(logarithms)
    return greatest + log(sum(exp(value - greatest) for value in logarithms))
