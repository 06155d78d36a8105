"""A check by an ordered probit model of the conditions, which uses categories only as ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from survey.analysis.items.comparisons import SIGNIFICANT

Floats = NDArray[np.float64]

MAX_CATEGORIES = 21
"""Categories up to which thresholds are fitted."""

_FARTHEST = 8.0
_TINY = 1e-300


def ordered_probit(counts: NDArray[np.int64]) -> Floats:
    """Return the latent means of groups, on the scale of the latent SD, the first group's being 0.

    Args:
        counts: shape (groups, categories); each group has ratings, and at least two categories are used.

    Returns:
        Shape (groups,). Where a group uses one extreme category alone its maximum is at infinity: ±8 stands for it.

    Source: R. McKelvey, W. Zavoina, 1975; thresholds common to the groups, variance 1.
    """
    used = counts[:, counts.sum(axis=0) > 0].astype(np.float64)
    groups, k = used.shape
    share = np.clip(used.sum(axis=0).cumsum()[:-1] / used.sum(), 1e-6, 1 - 1e-6)
    cuts = special.ndtri(share)
    start = np.concatenate([np.zeros(groups - 1), cuts[:1], np.log(np.maximum(np.diff(cuts), 1e-3))])
    bounds = [(-_FARTHEST, _FARTHEST)] * (groups - 1) + [(None, None)] * (k - 1)
    best = optimize.minimize(
        _loss, start, (used,), "L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": 500}
    )
    return np.concatenate([[0.0], best.x[: groups - 1]])


def _loss(parameters: Floats, counts: Floats) -> tuple[float, Floats]:
    """Return the negative log-likelihood per rating and its gradient."""
    groups = len(counts)
    mean = np.concatenate([[0.0], parameters[: groups - 1]])
    steps = np.exp(np.clip(parameters[groups:], -30, 5))
    cuts = parameters[groups - 1] + np.concatenate([[0.0], np.cumsum(steps)])
    z = cuts[None, :] - mean[:, None]
    below = np.pad(special.ndtr(z), ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    p = np.maximum(np.diff(below, axis=1), _TINY)
    ratio = counts / p
    slope = (ratio[:, :-1] - ratio[:, 1:]) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    by_cut = slope.sum(axis=0)
    later = by_cut[::-1].cumsum()[::-1]
    gradient = np.concatenate([-slope.sum(axis=1)[1:], later[:1], later[1:] * steps])
    n = counts.sum()
    return float(-(counts * np.log(p)).sum() / n), -gradient / n


def _sure_pairs(count: int) -> str:
    return "the significantly different pair" if count == 1 else f"all {count} significantly different pairs"


def ordinal_check(
    counts: NDArray[np.int64] | None, names: NDArray[np.object_], comparisons: pd.DataFrame
) -> tuple[bool | None, str]:
    """Does an ordinal model order the significantly different pairs as their means do? With one sentence.

    Args:
        counts: Shape (conditions, categories); None on a continuous scale.
        names: Of the conditions.
        comparisons: As returned by ``comparisons.compare``.
    """
    if counts is None:
        return None, "a continuous scale has no categories"
    if np.count_nonzero(counts.sum(axis=0)) > MAX_CATEGORIES:
        return None, f"more than {MAX_CATEGORIES} categories were used"
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return None, "all ratings are equal"
    latent = dict(zip(names, ordered_probit(counts), strict=True))
    sure = comparisons[comparisons["p_holm"] < SIGNIFICANT]
    against = [
        f"{a} and {b}"
        for a, b, difference in zip(sure["a"], sure["b"], sure["difference"], strict=True)
        if (latent[a] - latent[b]) * difference < 0
    ]
    if against:
        return (
            False,
            f"a model that takes the answers as ranks alone (ordered probit) orders otherwise than the means: {'; '.join(against[:5])}",
        )
    return (
        True,
        f"a model that takes the answers as ranks alone (ordered probit) puts {_sure_pairs(len(sure))} in the same order as the means",
    )
