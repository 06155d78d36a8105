"""The covariates in words: one plain sentence first."""

from __future__ import annotations

from typing import Any

import pandas as pd

from survey.analysis.covariates.labels import label
from survey.analysis.items.comparisons import SIGNIFICANT
from survey.analysis.terms import IMAGES, Terms, listed

_MAX_NAMED = 6
_FEW = 2
"""Covariates without a link that one sentence names."""


def sentences(table: pd.DataFrame, contents: bool, terms: Terms = IMAGES) -> list[str]:
    """Return what the covariates explain and which explain nothing. contents: whether the images have several."""
    tested = table[table["p_holm"].notna()].sort_values("p_holm", kind="stable")
    sure = tested[tested["p_holm"] < SIGNIFICANT]
    nothing = tested[~tested["covariate"].isin(sure["covariate"])]
    found = [sentence for _, row in sure.iterrows() for sentence in _explains(row, contents, terms)]
    if len(nothing):
        found += _nothing(nothing, "others" if len(sure) else "measures", terms)
    left = table[table["p_holm"].isna()]
    for _, row in left.iterrows():
        if row["note"]:
            found.append(f"{_first(row)} was not compared: {row['note']}.")
        elif pd.notna(row["plcc"]):
            found.append(
                f"{_first(row)} has r = {row['plcc']:.2f} with the score; these {terms.item}s are too few to test it."
            )
    ceilings = table["ceiling"].dropna()
    if len(ceilings) and len(tested):
        found.append(
            f"Even a perfect measure would only reach r = {ceilings.max():.2f} or so, since the ratings vary by chance."
        )
    return found or ["The covariates could not be compared with the scores."]


def _nothing(rows: pd.DataFrame, what: str, terms: Terms) -> list[str]:
    """Return that none of the covariates is shown to go with the score: their number first, then their names."""
    names = [label(name) for name in rows["covariate"]]
    plcc = rows["plcc"].dropna()
    span = f" (r from {plcc.min():.2f} to {plcc.max():.2f})" if len(plcc) > 1 else _r(rows.iloc[0], terms)
    if len(names) <= _FEW:
        return [f"No link of {_listed(names, 'or')} with the score could be shown{span}."]
    return [
        f"None of the {len(names)} {what} is shown to go with the score{span}.",
        f"These are {_listed(names, 'and')}.",
    ]


def _first(row: pd.Series[Any]) -> str:
    """Return the covariate as the first word of a sentence; a name that a researcher chose stays as it is."""
    name = label(row["covariate"])
    return name if name == row["covariate"] else f"{name[0].upper()}{name[1:]}"


def _explains(row: pd.Series[Any], contents: bool, terms: Terms) -> list[str]:
    """Return how one covariate goes with the score, and how many points it is worth."""
    name, value = label(row["covariate"]), row[row["test"]]
    side = "higher" if value > 0 else "lower"
    inside = f"r = {row['plcc_within']:.2f}" if contents and pd.notna(row["plcc_within"]) else ""
    if row["test"] != "between" and inside and row["plcc"] * value < 0:
        first = f"Among {terms.item}s of one {terms.content}, those with higher {name} were rated {side} ({inside})."
        second = f"Over all {terms.item}s the link is the other way{_r(row, terms)}."
    else:
        first = f"{terms.item.capitalize()}s with higher {name} were rated {side}{_r(row, terms)}."
        second = f"Among {terms.item}s of one {terms.content} {inside}." if inside else ""
    low, high = row[f"{row['test']}_low"], row[f"{row['test']}_high"]
    points = (
        f"One SD more of {name} goes with {value:+.2f} points "
        f"(95 % interval {low:+.2f} to {high:+.2f}, p {_p(row['p_holm'])} after Holm)."
    )
    return [first, f"{second} {points}".strip()]


def _r(row: pd.Series[Any], terms: Terms) -> str:
    if pd.isna(row["plcc"]):
        return ""
    if pd.isna(row["plcc_low"]):
        return f" (r = {row['plcc']:.2f})"
    units = row["contents"] if pd.notna(row["contents"]) else row["items"]
    what = f"{terms.content if pd.notna(row['contents']) else terms.item}s"
    return f" (r = {row['plcc']:.2f}, 95 % interval {row['plcc_low']:.2f} to {row['plcc_high']:.2f}, {units} {what})"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _listed(names: list[str], before_last: str) -> str:
    if len(names) > _MAX_NAMED:
        return f"{', '.join(names[:_MAX_NAMED])} and {len(names) - _MAX_NAMED} more"
    return listed(names, before_last)
