"""The summary numbers of a study, with the reason for each missing number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from survey.analysis.items.comparisons import friedman
from survey.analysis.items.means import complete_block
from survey.analysis.items.sos import DEFAULT_A, FEWEST_ITEMS, RANGE_OF_A, pooled_a, sos_a
from survey.analysis.items.tally import Tally, clustering, tally
from survey.analysis.participants.agreement import (
    MAX_ORDINAL,
    FirstRatings,
    first_ratings,
    icc_2,
    krippendorff_alpha,
)
from survey.analysis.participants.mixed import feasible, fit_mixed
from survey.analysis.participants.recovery import FEWEST_RATINGS, Recovery
from survey.analysis.planning.planning import detectable_difference, sample_size
from survey.analysis.table import Coded

Summary = dict[str, Any]
Notes = dict[str, str]

RELIABLE = 0.9
PLANNED_SHARE = 1 / 16
"""Half width that is planned for, as a share of the scale: 0.25 on 1 to 5."""


def plain(value: Any) -> Any:
    """Return the value in JSON types: Python numbers, and None for NaN and infinities."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def named(items: Sequence[str], most: int = 6) -> str:
    """Return items by name, the rest of many as a number."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f"{', '.join(map(str, items[:most]))}{more}"


def summarise(
    ratings: Coded, strict: Recovery, observers: pd.DataFrame, seed: int, *, unrated: Sequence[str] = ()
) -> tuple[Summary, Notes]:
    """Return the summary and notes of one question, without conditions.

    Args:
        ratings: Rows of the main phase.
        strict: The fitted subject model.
        observers: The table of participants.
        seed: Of everything random.
        unrated: Items without ratings, which count among the items.
    """
    notes: Notes = {}
    if unrated:
        some = "1 item has" if len(unrated) == 1 else f"{len(unrated)} items have"
        notes["unrated_items"] = f"{some} no rating and n = 0 in the tables: {named(unrated)}"
    summary = {
        "items": len(ratings.items) + len(unrated),
        "participants": len(ratings.participants),
        "ratings": len(ratings.rating),
        "mean_rating": ratings.rating.mean(),
        "ratings_per_item": len(ratings.rating) / len(ratings.items),
        "scale": str(ratings.scale),
        "bt500_rejected": observers["bt500_rejected"].sum(),
        "p913_correlation_rejected": observers["p913_correlation_rejected"].sum(),
    }
    summary |= _sos(tally(ratings), notes) | _alpha(ratings, seed, notes) | _block(ratings, notes)
    summary |= _reml(ratings, notes) | _model(strict, notes)
    return plain(summary), notes


def _sos(items: Tally, notes: Notes) -> Summary:
    a, used = sos_a(items), pooled_a(items)
    together = clustering(items)
    half_width = PLANNED_SHARE * items.scale.range
    if np.isnan(a):
        notes["sos_a"] = "no item with two ratings and a mean inside the scale"
    if used != a:
        why = (
            f"the value of other studies of images on five categories, as fewer than {FEWEST_ITEMS} items determine it"
            if used == DEFAULT_A
            else f"sos_a within {RANGE_OF_A[0]:g} to {RANGE_OF_A[1]:g}"
        )
        notes["sos_a_used"] = f"the bounded intervals use a = {used:g}: {why}"
    repeats = {"repeat_correlation": together.correlation} if items.within_freedom else {}
    return repeats | {
        "sos_a": a,
        "sos_a_used": used,
        "planned_half_width": half_width,
        "ratings_for_half_width_025": sample_size(half_width, a=used, scale=items.scale),
    }


def _alpha(ratings: Coded, seed: int, notes: Notes) -> Summary:
    first = first_ratings(ratings)
    summary: Summary = {}
    for level, alpha in krippendorff_alpha(first, seed=seed).items():
        name = f"alpha_{level}"
        summary |= {name: alpha.value, f"{name}_low": alpha.low, f"{name}_high": alpha.high}
        if np.isnan(alpha.value):
            notes[name] = _no_alpha(first, level)
    return summary


def _no_alpha(first: FirstRatings, level: str) -> str:
    if np.bincount(first.item).max() < 2:
        return "no item with two participants"
    if level == "ordinal" and first.category is None:
        return (
            f"left out on a continuous scale or one of more than {MAX_ORDINAL} categories: see alpha_interval"
        )
    return "all ratings are equal"


def _block(ratings: Coded, notes: Notes) -> Summary:
    """Return ICC and Friedman's test of the complete part of the data."""
    block = complete_block(ratings)
    names = ("icc_2_1", "icc_2_1_low", "icc_2_1_high", "icc_2_k", "icc_2_k_low", "icc_2_k_high", "icc_k")
    summary: Summary = dict.fromkeys(names) | dict.fromkeys(("friedman_chi2", "friedman_p", "kendall_w"))
    if block.scores is None or block.exact is None:
        notes |= dict.fromkeys(("icc_2_1", "icc_2_k", "friedman_chi2", "friedman_p"), block.rule)
        return summary
    icc = icc_2(block.scores)
    summary |= dict(
        zip(
            names,
            (icc.single, icc.single_low, icc.single_high, icc.mean, icc.mean_low, icc.mean_high, icc.k),
            strict=True,
        )
    )
    if np.isnan(icc.single):
        notes |= dict.fromkeys(("icc_2_1", "icc_2_k"), f"nothing varies among {block.rule}")
    elif not block.whole:
        notes["complete_block"] = f"ICC and Friedman's test take {block.rule}"
    test = friedman(block.exact)
    if test is None:
        reason = f"needs three items that differ for someone, among {block.rule}"
        notes |= dict.fromkeys(("friedman_chi2", "friedman_p"), reason)
        return summary
    return summary | {"friedman_chi2": test.chi2, "friedman_p": test.p, "kendall_w": test.kendall_w}


def _reml(ratings: Coded, notes: Notes) -> Summary:
    names = (
        "reml_item",
        "reml_participant",
        "reml_residual",
        "icc_1_reml",
        "icc_k_reml",
        "ratings_for_icc_090",
        "detectable_difference",
    )
    if reason := feasible(ratings):
        notes["reml"] = reason
        return dict.fromkeys(names)
    fit = fit_mixed(ratings)
    per_item = len(ratings.rating) / len(ratings.items)
    notes["reml"] = (
        f"the ICC of the mixed model (icc_k_reml) is that of the mean of {per_item:.4g} ratings, the average an item has"
    )
    wanted = np.ceil(fit.ratings_for(RELIABLE))
    smallest = detectable_difference(fit.residual, max(1, int(per_item)))
    values = (fit.item, fit.participant, fit.residual, fit.icc_1, fit.icc(per_item), wanted, smallest)
    return dict(zip(names, values, strict=True))


def _model(strict: Recovery, notes: Notes) -> Summary:
    few = int((strict.observers["n"] < FEWEST_RATINGS).sum())
    if few:
        some = "1 participant" if few == 1 else f"{few} participants"
        notes["recovered"] = (
            f"{some} gave fewer than {FEWEST_RATINGS} ratings: the strict P.910 model weighs them badly, "
            "read the shrunken variant (recovered_shrunken.csv)"
        )
    if strict.components > 1:
        notes["components"] = (
            f"who rated what falls into {strict.components} unconnected parts: recovered qualities of different parts "
            "cannot be compared"
        )
    if not strict.converged:
        notes["p910_converged"] = f"the P.910 model did not settle within {strict.rounds} rounds"
    return {"p910_rounds": strict.rounds, "p910_converged": strict.converged, "components": strict.components}
