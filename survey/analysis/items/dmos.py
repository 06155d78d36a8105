"""Differential mean opinion scores, for absolute category rating with hidden reference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from survey.analysis.distributions import t_critical
from survey.analysis.items.means import exact_by_item
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import code, main_phase

COLUMNS = ("item", "reference", "n", "dmos", "sd", "ci_low", "ci_high")


def dmos_table(table: pd.DataFrame, *, crush: bool = False, scale: Scale = ACR) -> pd.DataFrame | None:
    """Return the DMOS of ACR-HR: the mean of (rating − rating of the reference + high end of the scale).

    Args:
        table: One question's rows; ``reference`` names the item that each row's item is compared with.
        crush: Reduce scores d above the high end H (item better than its reference) to (H + 2)d/(2 + d).
        scale: Of the ratings.

    Returns:
        ``item,reference,n,dmos,sd,ci_low,ci_high``, Student t; n counts the participants who rated both. None
        if no reference was rated: in a degradation study (DCR) the MOS is the DMOS.

    Source: ITU-T P.910, ACR-HR, for H = 5; other scales in the same way.
    """
    main = main_phase(table)
    if "reference" not in main.columns:
        return None
    pairs = main[["item", "reference"]].drop_duplicates().dropna()
    pairs = pairs[pairs["item"].astype("str") != pairs["reference"].astype("str")]
    ratings = code(main, scale)
    place = {name: i for i, name in enumerate(ratings.items)}
    pairs = pairs[pairs["reference"].isin(place)].sort_values(["item", "reference"])
    if pairs.empty:
        return None
    scores, unit = exact_by_item(ratings, np.arange(len(ratings.items)))
    rows = [
        (
            item,
            reference,
            *_differential((scores[:, place[item]] - scores[:, place[reference]]) * unit, scale.high, crush),
        )
        for item, reference in zip(pairs["item"], pairs["reference"], strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _differential(
    differences: np.ndarray, high: float, crush: bool
) -> tuple[int, float, float, float, float]:
    d = differences[~np.isnan(differences)] + high
    if crush:
        d = np.where(d > high, (high + 2) * d / (2 + d), d)
    n = len(d)
    mean = float(d.mean()) if n else float("nan")
    sd = float(d.std(ddof=1)) if n > 1 else float("nan")
    half = float(t_critical(n - 1)) * sd / np.sqrt(n) if sd > 0 else float("nan")
    return n, mean, sd, mean - half, mean + half
