"""Recompute the MOS table from ratings.csv with pandas and scipy alone, and compare it with mos.csv.

Run in the folder of the export:  python reproduce.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

# Of each question: low end, high end and step of its scale (step 0: it is continuous).
SCALES = {"": (1, 5, 1)}

folder = Path(__file__).resolve().parent
# All as text: an image may be called NA, 007 or True. Only an empty cell is missing.
ratings, published = (
    pd.read_csv(folder / name, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    for name in ("ratings.csv", "mos.csv")
)
ratings["rating"] = ratings["rating"].astype(float)
if "question" not in ratings.columns:
    ratings["question"] = ""
for name in published.columns.difference(["question", "item", "ci_method"]):
    published[name] = published[name].astype(float)


def scale_of(question: str) -> tuple[float, float, float]:
    """The scale of a question; of the only one, whatever it is called."""
    return next(iter(SCALES.values())) if len(SCALES) == 1 else SCALES[question]


def shares(u: pd.Series, question: str) -> dict[str, float]:
    """Good or better, and poor or worse: the upper and the lower two of five categories; NaN on other scales."""
    low, high, step = scale_of(question)
    if not step or round((high - low) / step) != 4:
        return {"gob": np.nan, "pow": np.nan}
    return {"gob": (u > high - 1.5 * step).mean(), "pow": (u < low + 1.5 * step).mean()}


def one_item(rows: pd.DataFrame) -> pd.Series:
    """The row of one item; the interval of its mean takes participants as clusters (s²/n where each rated once)."""
    u = rows["rating"]
    people = u.groupby(rows["participant"])
    n, k, n_i, t_i = len(u), people.ngroups, people.size(), people.sum()
    v = k / (k - 1) * ((n * t_i - u.sum() * n_i) ** 2).sum() / n**4 if k > 1 else np.nan
    half = stats.t.ppf(0.975, k - 1) * np.sqrt(v) if v > 0 else np.nan
    return pd.Series(
        {
            "n": n,
            "participants": k,
            "mos": u.mean(),
            "sd": u.std(),
            "ci_low": u.mean() - half,
            "ci_high": u.mean() + half,
            "median": u.median(),
            **shares(u, rows["question"].iloc[0]),
            "kappa": (n_i**2).sum() / n,
            "within": ((u - people.transform("mean")) ** 2).sum(),
        }
    )


def bounded(items: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    """SOS-Wilson: Wilson's interval with n/a ratings, fewer where participants rated an item again."""
    several = items[items["n"] > 1]
    z, span = stats.norm.ppf(0.975), high - low
    q = (several["mos"] - low) * (high - several["mos"]) / span**2
    a = (q * several["sd"] ** 2).sum() / span**2 / (q**2).sum() if (q > 0).any() else np.nan
    a = float(np.clip(a, 0.05, 1)) if len(several) >= 5 and np.isfinite(a) else 0.35
    freedom = (items["n"] - items["participants"]).sum()
    effect: pd.Series | float = 1.0
    if freedom > 0:
        spread = (several["sd"] ** 2).mean()
        share = ((several["kappa"] - 1) / (several["n"] - 1)).mean()
        within = items["within"].sum() / freedom if freedom >= 10 else 0.0
        rho = 1.0
        if share < 1 and spread > 0:
            people = max((spread - share * within) / (1 - share), 0.0)
            rho = float(np.clip(1 - within / people, 0, 1)) if people > 0 else 0.0
            a = float(np.clip(a * people / spread, 0.05, 1))
        effect = 1 + (items["kappa"] - 1) * rho
    p, size = (items["mos"] - low) / span, items["n"] / (a * effect)
    centre = (p + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(p * (1 - p) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    return items.assign(
        bounded_low=(low + span * (centre - half)).clip(low, high),
        bounded_high=(low + span * (centre + half)).clip(low, high),
    )


# Only the main phase counts. Participants whom a researcher left out are in ratings_excluded.csv.
counted = ratings[ratings["phase"] == "main"]
keys = [name for name in ("question", "item") if name in published.columns]
table = pd.DataFrame([one_item(rows) for _, rows in counted.groupby(keys)])
table = pd.concat([counted.groupby(keys).size().index.to_frame(index=False), table], axis=1)
questions = table["question"] if "question" in keys else pd.Series("", index=table.index)
table = pd.concat([bounded(items, *scale_of(name)[:2]) for name, items in table.groupby(questions)])

columns = ["n", "participants", "mos", "sd", "bounded_low", "bounded_high", "median"]
columns += [name for name in ("gob", "pow") if name in published.columns]
if (published["ci_method"] == "t").all():
    columns += ["ci_low", "ci_high"]
print(table[keys + columns].round(3).to_string(index=False))
both = published[published["n"] > 0].merge(table, on=keys, suffixes=("_published", ""), validate="one_to_one")
if len(both) != len(table) or len(both) != (published["n"] > 0).sum():
    sys.exit("the items of mos.csv and of ratings.csv are not the same")
tolerance = 1e-9 * max(1, *(high - low for low, high, _ in SCALES.values()))
for name in columns:
    if not np.allclose(both[name], both[f"{name}_published"], rtol=0, atol=tolerance, equal_nan=True):
        sys.exit(f"{name} of mos.csv is not what ratings.csv gives")
print(f"mos.csv is reproduced: {len(table)} rows, {', '.join(columns)}, to {tolerance:g}")
