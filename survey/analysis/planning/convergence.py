"""How intervals shrink as ratings come in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from survey.analysis.items.intervals import sos_wilson
from survey.analysis.items.sos import pooled_a
from survey.analysis.items.tally import Tally, tally
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import code, main_phase

_STEPS = 40


def convergence(table: pd.DataFrame, scale: Scale = ACR) -> pd.DataFrame:
    """Return the half width of the bounded 95 % interval with the first k ratings of each item, in the table's order.

    Args:
        table: one question's rows.
        scale: of the question.

    Returns:
        Columns ``ratings_per_item,items,half_width,low,high``: the median over the items that have k ratings, and
        the quartiles; k up to the number that half of the items have. The bounded interval is taken because it is
        defined from one rating on; its ``a`` is that of all ratings.
    """
    ratings = code(main_phase(table), scale)
    rank = pd.Series(ratings.item).groupby(ratings.item).cumcount().to_numpy()

    def first(k: int) -> Tally:
        rows = rank < k
        some = {name: getattr(ratings, name)[rows] for name in ("item", "participant", "rating", "repeat")}
        return tally(replace(ratings, **some))

    total = tally(ratings)
    a = pooled_a(total)
    rows = []
    for k in np.unique(np.linspace(1, max(int(np.median(total.n)), 1), _STEPS).astype(int)):
        low, high = sos_wilson(first(int(k)), a)
        widths = ((high - low) / 2)[total.n >= k]
        quartiles = np.quantile(widths, [0.25, 0.5, 0.75])
        rows.append((int(k), len(widths), quartiles[1], quartiles[0], quartiles[2]))
    return pd.DataFrame(rows, columns=["ratings_per_item", "items", "half_width", "low", "high"])
