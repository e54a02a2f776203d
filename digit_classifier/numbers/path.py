"""The best path through a row: which hypotheses are its digits."""

from collections.abc import Sequence

from digit_classifier.numbers.hypotheses import Hypothesis


def best_path(
    n_segments: int,
    hypotheses: Sequence[Hypothesis],
    scores: Sequence[float],
    skip_scores: Sequence[float],
) -> tuple[list[int], float]:
    """Return the hypotheses of the most probable reading, and its log-probability.

    Parameters
    ----------
    n_segments : int
    hypotheses : sequence of Hypothesis
    scores : sequence of float
        Log-probability of each hypothesis.
    skip_scores : sequence of float
        Log-probability that a segment is not a part of a digit.
    """
    best = [0.0] + [float("-inf")] * n_segments
    chosen: list[int | None] = [None] * (n_segments + 1)
    before = list(range(-1, n_segments))
    by_last: list[list[int]] = [[] for _ in range(n_segments + 1)]
    for index, hypothesis in enumerate(hypotheses):
        by_last[hypothesis.last].append(index)
    for last in range(1, n_segments + 1):
        best[last] = best[last - 1] + skip_scores[last - 1]
        for index in by_last[last]:
            score = best[hypotheses[index].first] + scores[index]
            if score > best[last]:
                best[last], chosen[last] = score, index
                before[last] = hypotheses[index].first
    path = []
    last = n_segments
    while last > 0:
        index = chosen[last]
        if index is not None:
            path.append(index)
        last = before[last]
    return path[::-1], best[n_segments]
