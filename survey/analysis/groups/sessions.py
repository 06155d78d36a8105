"""How many of each group finished: unequal drop-out makes groups differ before anything is rated."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SESSION_COLUMNS = ("group", "started", "finished", "share_unfinished", "p")


def sessions_by_group(people: pd.DataFrame) -> pd.DataFrame:
    """Return one row a group: how many people started and finished, and the share that did not finish.

    `p` is that of Fisher's exact test that the groups lose people alike, the same in each row; missing where only one
    group has people.

    Args:
        people: columns `group` and `state` (active, finished, stopped, screened-out), one row a person who counts.
            Those screened out do not: they left before they saw anything of their group.
    """
    rows = people[people["group"].notna() & (people["state"] != "screened-out")]
    of = rows["group"].astype("str")
    names = sorted(of.unique())
    started = of.value_counts().reindex(names, fill_value=0).to_numpy(np.int64)
    finished = of[rows["state"] == "finished"].value_counts().reindex(names, fill_value=0).to_numpy(np.int64)
    p = _fisher(np.column_stack([finished, started - finished])) if len(names) > 1 else float("nan")
    return pd.DataFrame(
        {
            "group": pd.Series(names, dtype="object"),
            "started": started,
            "finished": finished,
            "share_unfinished": (started - finished) / np.maximum(started, 1),
            "p": p,
        },
        columns=list(SESSION_COLUMNS),
    )


def sessions_said(sessions: pd.DataFrame) -> str:
    """Return the sentence on drop-out that stands before the comparison; "" with fewer than two groups."""
    if len(sessions) < 2:
        return ""
    shares = [
        f"{100 * row['share_unfinished']:.0f} % of the {row['started']} in “{row['group']}”"
        for row in sessions.to_dict("records")
    ]
    p = float(sessions["p"].iloc[0])
    unequal = " Groups that lose people unequally may differ for that reason alone." if p < 0.05 else ""
    found = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return f"{' and '.join([', '.join(shares[:-1]), shares[-1]])} did not finish (Fisher's exact test, {found}).{unequal}"


def _fisher(counts: NDArray[np.int64]) -> float:
    """Return Fisher's exact p of groups × (finished, not); by 9999 random tables for more than two groups."""
    if (counts.sum(axis=0) == 0).any():
        return 1.0
    # Imported here, since it takes half a second and few need it.
    from scipy import stats

    if len(counts) == 2:
        return float(stats.fisher_exact(counts).pvalue)
    method = stats.MonteCarloMethod(rng=np.random.default_rng(0))
    # SciPy returns it in an array of one.
    return float(np.ravel(stats.fisher_exact(counts, method=method).pvalue)[0])
