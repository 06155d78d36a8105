"""How each participant's ratings go with those of the panel, in sparse arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.items.means import Floats, Ints, participant_means
from survey.analysis.table import Coded

FEWEST_ITEMS = 3


def grouped_pearson(group: Ints, x: Floats, y: Floats, groups: int) -> Floats:
    """Pearson correlation of x and y within each group, shape (groups,).

    NaN with fewer than three pairs, or where x or y does not vary.
    """
    n = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = x - (np.bincount(group, x, groups) / n)[group]
        dy = y - (np.bincount(group, y, groups) / n)[group]
        xx, yy = np.bincount(group, dx * dx, groups), np.bincount(group, dy * dy, groups)
        # Rounding leaves a constant rater a variance of about 1e-31; that is no variance.
        varies = (xx > 1e-20 * n) & (yy > 1e-20 * n) & (n >= FEWEST_ITEMS)
        r = np.bincount(group, dx * dy, groups) / np.sqrt(xx * yy)
    return np.where(varies, np.clip(r, -1, 1), np.nan)


def grouped_spearman(group: Ints, x: Floats, y: Floats, groups: int) -> Floats:
    """Spearman rank correlation within each group; as ``grouped_pearson``."""
    ranks = pd.DataFrame({"x": x, "y": y}).groupby(group).rank()
    return grouped_pearson(group, ranks["x"].to_numpy(), ranks["y"].to_numpy(), groups)


@dataclass(frozen=True)
class PanelCorrelation:
    """Correlation of each participant's item means with the panel's MOS, each of shape (participants,).

    Attributes:
        pearson, spearman: with the MOS of everybody, the participant included.
        left_out: Pearson, with the MOS of the others.
        by_condition: Pearson over condition means, or None without conditions.
    """

    pearson: Floats
    spearman: Floats
    left_out: Floats
    by_condition: Floats | None


def panel_correlation(ratings: Coded, condition: NDArray[np.object_] | None = None) -> PanelCorrelation:
    """Args: condition: the condition of each rating, shape (rows,), or None."""
    c = participant_means(ratings)
    people, things = len(ratings.participants), len(ratings.items)
    total = np.bincount(c.item, c.total, things)
    n = np.bincount(c.item, c.n, things)
    mos = (total / n)[c.item]
    others = n[c.item] - c.n
    with np.errstate(invalid="ignore", divide="ignore"):
        mos_of_others = (total[c.item] - c.total) / others
    rest = others > 0
    return PanelCorrelation(
        grouped_pearson(c.participant, c.mean, mos, people),
        grouped_spearman(c.participant, c.mean, mos, people),
        grouped_pearson(c.participant[rest], c.mean[rest], mos_of_others[rest], people),
        None if condition is None else _by_condition(ratings, condition),
    )


def _by_condition(ratings: Coded, condition: NDArray[np.object_]) -> Floats | None:
    known = ~pd.isna(condition)
    codes, names = pd.factorize(condition[known], sort=True)
    if len(names) < FEWEST_ITEMS:
        return None
    as_items = Coded(
        codes.astype(np.int64),
        ratings.participant[known],
        ratings.rating[known],
        ratings.repeat[known],
        np.asarray(names, dtype=object),
        ratings.participants,
    )
    return panel_correlation(as_items).pearson
