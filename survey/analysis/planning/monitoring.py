"""Numbers of a running study: ratings and intervals against the goal, where people stop, and careless participants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from survey.analysis.items.conditions import cluster_means, levels
from survey.analysis.items.intervals import always_valid, student_t
from survey.analysis.items.sos import pooled_a
from survey.analysis.items.tally import tally
from survey.analysis.participants.rules import EXCLUSIONS
from survey.analysis.participants.screening import screen
from survey.analysis.planning.planning import ratings_needed
from survey.analysis.planning.stopping import a_for_any_look
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import code, main_phase


@dataclass(frozen=True)
class LiveScores:
    """One question's scores so far.

    Attributes:
        images: one row an item, fewest votes first: ``item,votes,mos,half_width,any_low,any_high,votes_missing,
            ratings_needed``. ``half_width`` is half the 95 % interval that the results show (Student's t), for one look, at
            the end: NaN for one vote, or where all agree. From ``any_low`` to ``any_high`` is the 95 % interval that holds
            however often somebody looks: NaN without a vote.
            ``votes_missing`` until the wanted number of votes, ``ratings_needed`` until MOS ± the wanted half width.
        conditions: ``condition,items,participants,votes,mos,half_width`` (participants as clusters, Student t);
            None where there are none.
        a: the SOS parameter that needs are computed with.
    """

    images: pd.DataFrame
    conditions: pd.DataFrame | None
    a: float


def live_scores(
    table: pd.DataFrame, items: Sequence[str], *, votes: int, half_width: float, scale: Scale = ACR
) -> LiveScores:
    """Return the scores of one question so far.

    Args:
        table: its rows, all phases, as ``table.check`` gives them; may be empty.
        items: every item that is to be rated, so that one without a vote is there too.
        votes: wanted for each item.
        half_width: wanted for each item's 95 % interval, rating points.
        scale: of the question.
    """
    main = main_phase(table)
    scores = tally(code(main, scale, items=items))
    a = pooled_a(scores)
    low, high = student_t(scores)
    any_low, any_high = always_valid(scores, a_for_any_look(scores), votes)
    images = pd.DataFrame(
        {"item": list(items), "votes": scores.n, "mos": scores.mean, "half_width": (high - low) / 2}
    ).assign(any_low=any_low, any_high=any_high)
    images["votes_missing"] = np.maximum(votes - scores.n, 0)
    found = images.rename(columns={"votes": "n"})
    images["ratings_needed"] = ratings_needed(found, half_width, a=a, scale=scale)
    images = images.sort_values(["votes", "item"], kind="stable").reset_index(drop=True)
    return LiveScores(images, _conditions(main, scale), a)


def _conditions(main: pd.DataFrame, scale: Scale) -> pd.DataFrame | None:
    if "condition" not in main.columns or not main["condition"].notna().any():
        return None
    these = levels(main, ["condition"], scale)
    means = cluster_means(these)
    means.insert(0, "condition", these.names)
    means["half_width"] = (means["ci_high"] - means["ci_low"]) / 2
    return means.rename(columns={"n": "votes"}).drop(columns=["sd", "ci_low", "ci_high"])


def drop_off(answered: ArrayLike) -> pd.DataFrame:
    """Return how many people answered at least k trials: ``trial,reached``, from 1 to the most that anybody did.

    Args:
        answered: answered trials of each person who began, whole numbers.
    """
    done = np.bincount(np.asarray(answered, np.int64), minlength=1)
    reached = done[::-1].cumsum()[::-1]
    return pd.DataFrame({"trial": np.arange(1, len(reached)), "reached": reached[1:]})


def median_seconds(table: pd.DataFrame) -> float | None:
    """Return the median response time of the main phase in seconds; None where none is known."""
    times = main_phase(table)["rt_ms"].dropna()
    return float(times.median()) / 1000 if len(times) else None


def flags(table: pd.DataFrame, scale: Scale = ACR) -> dict[str, list[str]]:
    """Return {participant: the rules that flag them so far}, by one question's rows; only rules that may exclude."""
    if main_phase(table).empty:
        return {}
    verdicts = screen(table, scale)
    hit = verdicts[(verdicts["verdict"] == "flagged") & verdicts["rule"].isin(list(EXCLUSIONS))]
    return {str(person): rows["rule"].tolist() for person, rows in hit.groupby("participant", sort=True)}
