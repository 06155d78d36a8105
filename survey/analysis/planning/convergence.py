"""How the scores settle as ratings come in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from survey.analysis.items.intervals import sos_wilson
from survey.analysis.items.sos import pooled_a
from survey.analysis.table import CATEGORIES, main_phase

_STEPS = 40


def convergence(table: pd.DataFrame) -> pd.DataFrame:
    """Half width of the bounded 95 % interval with the first k ratings of each item, in the table's order.

    Args:
        table: one question's rows.

    Returns:
        Columns ``ratings_per_item,items,half_width,low,high``: the median over the items that have k ratings, and
        the quartiles; k up to the number that half of the items have. The bounded interval is taken because it is
        defined from one rating on; its ``a`` is that of all ratings.
    """
    main = main_phase(table)
    item, items = pd.factorize(main["item"], sort=True)
    rank = main.groupby(item).cumcount().to_numpy()
    rating = main["rating"].to_numpy(np.int64) - 1
    size = (len(items), len(CATEGORIES))

    def counts(upto: int) -> np.ndarray:
        cell = item[rank < upto] * size[1] + rating[rank < upto]
        return np.bincount(cell, minlength=size[0] * size[1]).reshape(size)

    total = counts(len(main))
    n = total.sum(axis=1)
    a = pooled_a(total)
    rows = []
    for k in np.unique(np.linspace(1, max(int(np.median(n)), 1), _STEPS).astype(int)):
        low, high = sos_wilson(counts(int(k))[n >= k], a)
        quartiles = np.quantile((high - low) / 2, [0.25, 0.5, 0.75])
        rows.append((int(k), int((n >= k).sum()), quartiles[1], quartiles[0], quartiles[2]))
    return pd.DataFrame(rows, columns=["ratings_per_item", "items", "half_width", "low", "high"])
