"""Correlation of each participant's ratings with those of the panel, in sparse arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.items.means import Floats, Ints, participant_means
from survey.analysis.table import Coded

FEWEST_ITEMS = 3


def grouped_pearson(group: Ints, x: Floats, y: Floats, groups: int) -> Floats:
    """Return the Pearson correlation of x and y within each group, shape (groups,).

    NaN with fewer than three pairs, or where x or y does not vary.
    """
    n = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = x - (np.bincount(group, x, groups) / n)[group]
        dy = y - (np.bincount(group, y, groups) / n)[group]
        xx, yy = np.bincount(group, dx * dx, groups), np.bincount(group, dy * dy, groups)
        # Rounding gives a constant rater a tiny variance, relative to the square of the mean. It counts as 0.
        noise = 1e-20 * n * max(1.0, float(np.abs(x).max(initial=0)), float(np.abs(y).max(initial=0))) ** 2
        varies = (xx > noise) & (yy > noise) & (n >= FEWEST_ITEMS)
        r = np.bincount(group, dx * dy, groups) / np.sqrt(xx * yy)
    return np.where(varies, np.clip(r, -1, 1), np.nan)


def grouped_spearman(group: Ints, x: Floats, y: Floats, groups: int) -> Floats:
    """Return the Spearman rank correlation within each group, as ``grouped_pearson``."""
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
    """Return each participant's correlations with the panel.

    Args:
        ratings: The ratings.
        condition: The condition of each rating, shape (rows,), or None.
    """
    c = participant_means(ratings)
    people, things = len(ratings.participants), len(ratings.items)
    total = np.bincount(c.item, c.total, things)
    n = np.bincount(c.item, c.n, things)
    with np.errstate(invalid="ignore"):
        mos = (total / n)[c.item]
    others = n[c.item] - c.n
    with np.errstate(invalid="ignore", divide="ignore"):
        mos_of_others = (total[c.item] - c.total) / others
    own = c.total / c.n  # correlations do not depend on the unit
    rest = others > 0
    return PanelCorrelation(
        grouped_pearson(c.participant, own, mos, people),
        grouped_spearman(c.participant, own, mos, people),
        grouped_pearson(c.participant[rest], own[rest], mos_of_others[rest], people),
        None if condition is None else _by_condition(ratings, condition),
    )


def _by_condition(ratings: Coded, condition: NDArray[np.object_]) -> Floats | None:
    known = ~pd.isna(condition)
    codes, names = pd.factorize(condition[known], sort=True)
    if len(names) < FEWEST_ITEMS:
        return None
    as_items = replace(
        ratings,
        item=codes.astype(np.int64),
        participant=ratings.participant[known],
        rating=ratings.rating[known],
        repeat=ratings.repeat[known],
        items=np.asarray(names, dtype=object),
    )
    return panel_correlation(as_items).pearson
