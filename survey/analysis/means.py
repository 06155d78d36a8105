"""The analysis of a table of means: intervals and comparisons from SD and n, and tests whether the means are possible."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.distributions import t_critical, t_two_sided
from survey.analysis.grim import Grim, grim, most_sd
from survey.analysis.items.comparisons import holm
from survey.analysis.scale import Scale

MAX_COMPARED: Final = 100
"""Items that are compared in pairs."""


def means_table(table: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Return one row an item: what was printed, Student's interval from SD and n, and whether the numbers can be.

    Args:
        table: ``item``, ``mean`` (text as printed), ``value``, ``sd``, ``n``; NaN for what is not known.
        scale: the scale of the ratings, taken to be whole steps.

    Returns:
        ``item,n,mean,sd,ci_low,ci_high,grim,grim_nearest,sd_possible``: ``grim`` is the verdict of ``grim.grim``, empty
        without n; ``sd_possible`` is False where no ratings of that mean differ so much.
    """
    n, sd, mean = (table[name].to_numpy(np.float64) for name in ("n", "sd", "value"))
    known = np.isfinite(n) & (n >= 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.where(known, t_critical(np.where(known, n - 1, np.nan)) * sd / np.sqrt(n), np.nan)
    tests = [_grim(text, count, scale) for text, count in zip(table["mean"], n, strict=True)]
    most = [most_sd(m, int(k), scale) if ok else np.nan for m, k, ok in zip(mean, n, known, strict=True)]
    rounding = 10.0 ** -np.array([_decimals(text) for text in table["mean"]])
    return pd.DataFrame(
        {
            "item": table["item"],
            "n": pd.array(n, dtype="Int64") if np.all(np.isnan(n) | (n == np.rint(n))) else n,
            "mean": mean,
            "sd": sd,
            "ci_low": mean - half,
            "ci_high": mean + half,
            "grim": [test.verdict if test else None for test in tests],
            "grim_nearest": [", ".join(test.nearest) if test and test.nearest else None for test in tests],
            "sd_possible": pd.array(
                [
                    None if not np.isfinite(m + s) else bool(s <= m + r)
                    for m, s, r in zip(most, sd, rounding, strict=True)
                ],
                dtype="boolean",
            ),
        }
    )


def _grim(text: str, n: float, scale: Scale) -> Grim | None:
    return grim(text, int(n), scale) if np.isfinite(n) and n >= 1 else None


def _decimals(text: str) -> int:
    return len(text.replace(",", ".").partition(".")[2])


def compare_means(table: pd.DataFrame) -> pd.DataFrame:
    """Compare items in pairs by B. L. Welch's t test of means with SD and n, adjusted by Holm.

    The test takes the two items' ratings as independent: where the same people rated both, it is cautious.

    Returns:
        ``a,b,difference,ci_low,ci_high,t,df,p,p_holm``; empty where SD or n is missing or there are more than 100 items.
    """
    names = ["a", "b", "difference", "ci_low", "ci_high", "t", "df", "p", "p_holm"]
    usable = table[(table["n"] >= 2) & (table["sd"] > 0)]
    if len(usable) > MAX_COMPARED or len(usable) < 2:
        return pd.DataFrame({name: [] for name in names})
    first, second = (
        usable.iloc[list(rows)].reset_index(drop=True)
        for rows in zip(*combinations(range(len(usable)), 2), strict=True)
    )
    one, other = (rows["sd"] ** 2 / rows["n"] for rows in (first, second))
    error = np.sqrt(one + other)
    freedom = (one + other) ** 2 / (one**2 / (first["n"] - 1) + other**2 / (second["n"] - 1))
    difference = first["value"] - second["value"]
    t = difference / error
    p = t_two_sided(t, freedom)
    half = t_critical(freedom) * error
    columns = (
        first["item"],
        second["item"],
        difference,
        difference - half,
        difference + half,
        t,
        freedom,
        p,
        holm(p),
    )
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def grim_sentences(table: pd.DataFrame) -> list[str]:
    """Return what the tests of ``means_table`` say, in words."""
    tested = table[table["grim"].isin(["possible", "if cut off", "impossible"])]
    found = []
    if len(tested):
        counts = tested["n"].unique()
        of = f"{int(counts[0])} whole ratings" if len(counts) == 1 else "as many whole ratings as their n"
        cut, never = tested[tested["grim"] == "if cut off"], tested[tested["grim"] == "impossible"]
        bad = len(cut) + len(never)
        if not bad:
            found.append(f"all {len(tested)} means that can be tested can come from {of} (GRIM)")
        else:
            found.append(
                f"{bad} of {len(tested)} means cannot come from {of} by rounding (GRIM): {_shown(tested[tested['grim'] != 'possible'])}"
            )
        if len(cut):
            found.append(
                f"{len(cut)} of them can if further digits were cut off; this says nothing about intent"
            )
    wide = table[(table["sd_possible"] == False).fillna(False)]  # noqa: E712
    if len(wide):
        found.append(f"an SD is larger than ratings of its mean allow: {', '.join(wide['item'][:5])}")
    return found


def _shown(rows: pd.DataFrame) -> str:
    parts: Sequence[str] = [
        f"{item} ({mean:g}; possible are {nearest})"
        for item, mean, nearest in zip(rows["item"], rows["mean"], rows["grim_nearest"], strict=True)
    ]
    return "; ".join(parts[:10])
