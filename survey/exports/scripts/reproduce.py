"""Recompute the MOS table from ratings.csv with pandas and scipy alone, and compare it with mos.csv.

Run in the folder of the export:  python reproduce.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

folder = Path(__file__).resolve().parent
text = {"participant": str, "item": str, "question": str}
# Only an empty cell is missing: an image may be called NA.
ratings, published = (
    pd.read_csv(folder / name, dtype=text, keep_default_na=False, na_values=[""])
    for name in ("ratings.csv", "mos.csv")
)

# Only the main phase counts. Participants whom a researcher left out are in ratings_excluded.csv.
counted = ratings[ratings["phase"] == "main"]
several = "question" in published.columns
keys = ["question", "item"] if several else ["item"]

table = counted.groupby(keys)["rating"].agg(n="count", mos="mean", sd="std", median="median").reset_index()
varied = table["sd"] > 0
half = stats.t.ppf(0.975, table["n"].where(varied) - 1) * table["sd"] / np.sqrt(table["n"])
table["ci_low"], table["ci_high"] = table["mos"] - half, table["mos"] + half

print(table.round(3).to_string(index=False))
both = published[published["n"] > 0].merge(table, on=keys, suffixes=("_published", ""), validate="one_to_one")
if len(both) != len(table) or len(both) != (published["n"] > 0).sum():
    sys.exit("the items of mos.csv and of ratings.csv are not the same")
columns = ["n", "mos", "sd", "median"]
if (published["ci_method"] == "t").all():
    columns += ["ci_low", "ci_high"]
for name in columns:
    if not np.allclose(both[name], both[f"{name}_published"], rtol=0, atol=1e-9, equal_nan=True):
        sys.exit(f"{name} of mos.csv is not what ratings.csv gives")
print(f"mos.csv is reproduced: {len(table)} rows, {', '.join(columns)}, to 1e-9")
