"""The most probable path through a row: which hypotheses are its digits, and how certainly."""

from collections.abc import Iterable, Sequence
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
    weights = [
        score + hypothesis.geometry for score, hypothesis in zip(scores, hypotheses, strict=True)
    ]
    chosen, score = _viterbi(hypotheses, weights, skip_scores)
    forward, backward = _path_sums(hypotheses, weights, skip_scores)
    total = forward[-1]
    # all paths through a hypothesis: those to its first bound times those from its last one
    shares = [
        forward[hypotheses[index].first] + weights[index] + backward[hypotheses[index].last] - total
        for index in chosen
    ]
    # rounding may put a share above 1
    certainties = [exp(min(share, 0.0)) for share in shares]
    return Path(chosen, certainties, score, min(score - total, 0.0))


def _viterbi(
    hypotheses: Sequence[Hypothesis], weights: Sequence[float], skip_scores: Sequence[float]
) -> tuple[list[int], float]:
    """Return the indices of the hypotheses on the most probable path, and its log-probability."""
    by_last = _grouped((hypothesis.last for hypothesis in hypotheses), len(skip_scores))
    best, ending = [0.0], list[int | None]([None])
    for last, skipped in enumerate(skip_scores, 1):
        score, ends_with = best[last - 1] + skipped, None
        for index in by_last[last]:
            with_it = best[hypotheses[index].first] + weights[index]
            if with_it > score:
                score, ends_with = with_it, index
        best.append(score)
        ending.append(ends_with)
    # from the end, since each bound knows which hypothesis the best path to it ends with
    chosen, last = [], len(skip_scores)
    while last > 0:
        found = ending[last]
        if found is None:
            last -= 1
        else:
            chosen.append(found)
            last = hypotheses[found].first
    return chosen[::-1], best[-1]


def _path_sums(
    hypotheses: Sequence[Hypothesis], weights: Sequence[float], skip_scores: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the log-probabilities of all paths to each bound, and of all from it to the end."""
    n_segments = len(skip_scores)
    by_last = _grouped((hypothesis.last for hypothesis in hypotheses), n_segments)
    by_first = _grouped((hypothesis.first for hypothesis in hypotheses), n_segments)
    forward, backward = [0.0] * (n_segments + 1), [0.0] * (n_segments + 1)
    for last in range(1, n_segments + 1):
        forward[last] = _log_sum(
            [forward[last - 1] + skip_scores[last - 1]]
            + [forward[hypotheses[index].first] + weights[index] for index in by_last[last]]
        )
    for first in range(n_segments - 1, -1, -1):
        backward[first] = _log_sum(
            [backward[first + 1] + skip_scores[first]]
            + [backward[hypotheses[index].last] + weights[index] for index in by_first[first]]
        )
    return forward, backward


def _grouped(bounds: Iterable[int], n_segments: int) -> list[list[int]]:
    """Return the indices of the hypotheses at each bound between segments, and at both ends."""
    groups: list[list[int]] = [[] for _ in range(n_segments + 1)]
    for index, bound in enumerate(bounds):
        groups[bound].append(index)
    return groups


def _log_sum(logarithms: Sequence[float]) -> float:
    # relative to the greatest: exp of a long row's score alone would be 0
    greatest = max(logarithms)
    return greatest + log(sum(exp(value - greatest) for value in logarithms))
